// SPDX-License-Identifier: Apache-2.0
//
// Each right on an object that `lockkeeper grants` prints, taken away in turn: those branches
// degrade that a comment of the script names, and no other.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "commands/check.hpp"
#include "support/candidate.hpp"
#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"
#include "support/script.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Routing = Database::Routing;

namespace {

using Words = std::set<std::string>;

// An object of the database where the script speaks of a kind: one partition, one lane.
std::string concrete(const Database& database, const std::string& object) {
  if (object == "LANES") {
    return "SEQUENCE awa." + database.value(
                                 "SELECT relname FROM pg_class WHERE relkind = 'S' AND "
                                 "relname LIKE 'queue_enqueue_seq%' ORDER BY 1 LIMIT 1");
  }
  const std::string children = "CHILDREN ";
  if (object.starts_with(children)) return "TABLE " + object.substr(children.size()) + "_0";
  return object;
}

// What is found of a right that was taken away, by the two that look: the gate and the check.
class Looker {
 public:
  explicit Looker(const Database& database) : inquiry_(election_settings(database.url())) {
    REQUIRE(inquiry_.connect() == "");
    REQUIRE(inquiry_.set_up() == "");
  }
  awa::Examination examine() { return inquiry_.examine({}); }
  std::string check() {
    commands::Facts facts;
    commands::look_at_awa(facts, inquiry_, {});
    std::string text;
    for (const auto& fact : facts.all()) {
      if (fact.name == "privileges") text += fact.found + "\n";
    }
    return text;
  }

 private:
  commands::Inquiry inquiry_;
};

// Of what the script grants, that which a database of this shape has. The first job makes a lane.
std::vector<Script::Grant> granted(const Script& script, const Database& database) {
  auto grants = script.all();
  std::erase_if(grants, [&](const Script::Grant& grant) {
    const auto object = concrete(database, grant.object);
    if (object == "SEQUENCE awa.") return true;
    return object.ends_with("_marks") &&
           database.value("SELECT to_regclass('" + object.substr(6) + "')") == "NULL";
  });
  return grants;
}

Words keys(const awa::Unable& unable) {
  Words words;
  for (const auto& [branch, why] : unable) words.insert(branch);
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void look_without(Looker& looker, const Script::Grant& grant, const std::string& object) {
  const auto found = looker.examine();
  const auto lack = "role lockkeeper lacks " + grant.right + " ON " + object;

  const auto text = looker.check();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK_THAT(text, Contains(lack) && Contains(", for " + joined(grant.branches) + "\n"));
  if (contains(grant.branches, "leading")) {
    CHECK(found.verdict == awa::Verdict::missing_privilege);
    return;
  }
  CHECK(keys(found.unable) == Words(grant.branches.begin(), grant.branches.end()));
  const auto remedy =
      grant.object == "LANES" ? "run what " : "run GRANT " + grant.right + " ON " + object;
  for (const auto& [branch, why] : found.unable) {
    CHECK_THAT(why, Contains(lack) && Contains(remedy));
    CHECK_THAT(why, Contains("\"lockkeeper grants --role lockkeeper\""));
  }
}

// Of the rights of a branch the one that the fewest others need too.
const Script::Grant& most_own(const std::vector<Script::Grant>& grants, const std::string& branch) {
  const Script::Grant* best = nullptr;
  for (const auto& grant : grants) {
    const bool is_candidate =
        contains(grant.branches, branch) && !contains(grant.branches, "leading");
    if (!is_candidate) continue;
    if (best == nullptr || grant.branches.size() < best->branches.size()) best = &grant;
  }
  REQUIRE(best != nullptr);
  return *best;
}

Words branches_of(const std::vector<Script::Grant>& grants) {
  Words words;
  for (const auto& grant : grants) {
    words.insert(grant.branches.begin(), grant.branches.end());
  }
  words.erase("leading");
  words.erase("declaration_window");
  return words;
}

// The branches of a tick that were skipped for that reason; none may have failed.
Words skipped_in(const Ran& tick, const std::string& reason) {
  Words words;
  const std::string kBranch = "{\"branch\":\"";
  for (auto at = tick.out.find(kBranch); at != std::string::npos;) {
    const auto next = tick.out.find(kBranch, at + 1);
    const auto entry = tick.out.substr(at, next == std::string::npos ? next : next - at);
    CHECK_THAT(entry, !Contains("\"outcome\":\"failed\""));
    const auto begin = kBranch.size();
    if (entry.find("\"outcome\":\"skipped\"") != std::string::npos &&
        entry.find(reason) != std::string::npos) {
      words.insert(entry.substr(begin, entry.find('"', begin) - begin));
    }
    at = next;
  }
  return words;
}

}  // namespace

TEST_CASE("without one of the rights the branches that need it are named, and no other",
          "[program][grants]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::unpatched);
  const Database database(routing);
  database.sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'queue', '{}'); RESET ROLE");
  const auto grants = granted(Script::printed(), database);
  Looker looker(database);
  REQUIRE(grants.size() > 150);
  REQUIRE(looker.check() == "role lockkeeper has what the branches need\n");

  for (const auto& grant : grants) {
    const auto object = concrete(database, grant.object);
    CAPTURE(grant.right, object);
    database.sql("REVOKE " + grant.right + " ON " + object + " FROM lockkeeper");
    look_without(looker, grant, object);
    database.sql("GRANT " + grant.right + " ON " + object + " TO lockkeeper");
  }

  CHECK(looker.check() == "role lockkeeper has what the branches need\n");
}

TEST_CASE("without a right the passes of the branches that need it are skipped, the others work",
          "[program][grants]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::unpatched);
  const Database database(routing);
  const auto grants = granted(Script::printed(), database);
  for (const auto& branch : branches_of(grants)) {
    const auto& grant = most_own(grants, branch);
    const auto object = concrete(database, grant.object);
    CAPTURE(branch, grant.right, object);
    database.sql("REVOKE " + grant.right + " ON " + object + " FROM lockkeeper");

    const auto ran = lockkeeper({"tick", "--json"}, {"LOCKKEEPER_DATABASE_URL=" + database.url()});

    CHECK(ran.code == 3);
    CHECK(skipped_in(ran, "lacks " + grant.right + " ON " + object) ==
          Words(grant.branches.begin(), grant.branches.end()));
    database.sql("GRANT " + grant.right + " ON " + object + " TO lockkeeper");
  }
  const auto ran = lockkeeper({"tick", "--json"}, {"LOCKKEEPER_DATABASE_URL=" + database.url()});
  CHECK(ran.code == 0);
}

TEST_CASE("a leader that loses rights says which branches cannot work, and a grant heals it",
          "[program][grants]") {
  const Database database;
  const Daemon daemon({.url = database.url()});
  REQUIRE(eventually([&] { return fetch(daemon.address(), "/readyz").status == 200; }));
  const auto skipped = [&](const std::string& branch) {
    return daemon.metric("lockkeeper_branch_passes_total",
                         {"branch=\"" + branch + "\"", "outcome=\"skipped\""});
  };
  const auto is_unable = [&](const std::string& branch) {
    return daemon.metric("lockkeeper_branch_unable", {"branch=\"" + branch + "\""}) == 1;
  };
  database.sql("REVOKE DELETE ON awa.deferred_jobs FROM lockkeeper");
  database.sql("REVOKE TRUNCATE ON awa.leases_1 FROM lockkeeper");

  REQUIRE(eventually([&] { return is_unable("promote_scheduled") && is_unable("rotate_lease"); }));
  CHECK(daemon.metric("lockkeeper_branch_unable") == 2);
  const auto ready = fetch(daemon.address(), "/readyz");
  CHECK(ready.status == 503);
  CHECK_THAT(ready.body,
             Contains("promote_scheduled cannot work: role lockkeeper lacks DELETE ON TABLE "
                      "awa.deferred_jobs; run GRANT DELETE ON TABLE awa.deferred_jobs TO ") &&
                 Contains("rotate_lease cannot work: "));
  CHECK(std::count(ready.body.begin(), ready.body.end(), '\n') == 2);
  CHECK_THAT(daemon.log(),
             Contains("the branch cannot work and is skipped") && Contains("branch=rotate_lease"));
  CHECK(eventually([&] { return skipped("promote_scheduled") > 2; }));
  const auto rescued = daemon.metric("lockkeeper_branch_passes_total",
                                     {"branch=\"rescue_expired_callbacks\"", "outcome=\"idle\""});
  CHECK(eventually([&] {
    return daemon.metric("lockkeeper_branch_passes_total",
                         {"branch=\"rescue_expired_callbacks\"", "outcome=\"idle\""}) > rescued;
  }));

  database.grant();

  CHECK(eventually([&] { return fetch(daemon.address(), "/readyz").status == 200; }));
  CHECK(daemon.metric("lockkeeper_branch_unable") == 0);
  CHECK(daemon.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 1);
  CHECK(daemon.has_logged("the branch can work again"));
}

}  // namespace lockkeeper::test
