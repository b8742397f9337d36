// SPDX-License-Identifier: Apache-2.0
//
// The move to queue storage under a leading daemon, step by step with Awa's own program.
#include <algorithm>
#include <catch2/catch.hpp>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

constexpr auto kPasses = "lockkeeper_branch_passes_total";

std::string configuration(const Database& database) {
  return "[database]\nurl = \"" + database.url() +
         "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n";
}

void awa_storage(const Database& database, const std::string& step) {
  const auto ran = by_awa(database, "storage " + step);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
}

// A schema of queue storage with other numbers of slots than usual, as far as `prepared`.
void prepare(const Database& database) {
  awa_storage(database,
              "prepare-queue-storage-schema --schema queues --queue-slot-count 8"
              " --lease-slot-count 4");
  database.give_to_owner("queues");
  awa_storage(database, "prepare --engine queue_storage --details '{\"schema\": \"queues\"}'");
  database.install_fence();
}

void schedule_canonical(const Database& database, const std::string& in) {
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) VALUES ('report', 'old',"
      " 'scheduled', now() + interval '" +
      in + "')");
}

void schedule(const Database& database, const std::string& in) {
  database.sql(
      "SELECT awa.insert_job_compat(p_kind => 'report', p_queue => 'new', p_state => 'scheduled',"
      " p_run_at => now() + interval '" +
      in + "')");
}

// A migrator of today meets a database of an older one. Nobody is granted what it adds.
void apply_patch(const Database& database) {
  run({{awa_program(), "--database-url", database.superuser_url(), "migrate"}, false});
}

constexpr auto kHolders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";

Answer ready(const Daemon& daemon) { return fetch(daemon.address(), "/readyz"); }

bool is_served(const Daemon& daemon, const std::string& state, const std::string& routed) {
  return eventually([&] { return daemon.has_logged("transition=" + state + " routed=" + routed); });
}

}  // namespace

TEST_CASE("every step of the move to queue storage is served while the daemon leads",
          "[program][transition][T21][H30]") {
  const Database database(Database::Routing::canonical);
  database.install_fence();
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return daemon.leads(); }));

  prepare(database);
  REQUIRE(is_served(daemon, "prepared", "canonical"));
  schedule_canonical(database, "100 ms");
  CHECK(eventually([&] { return count(database, "jobs_hot") == "1"; }));

  awa_storage(database, "enter-mixed-transition --quiesced");
  REQUIRE(is_served(daemon, "mixed_transition", "queues"));
  schedule(database, "100 ms");
  schedule_canonical(database, "100 ms");
  CHECK(eventually([&] {
    return database.value("SELECT count(*) FROM queues.ready_entries") == "1" &&
           count(database, "jobs_hot") == "2";
  }));
  const std::vector<std::string> turned = {"branch=\"rotate_queue\"", "outcome=\"done\""};
  CHECK(eventually([&] { return daemon.metric(kPasses, turned) > 0; }));

  database.sql("DELETE FROM awa.jobs_hot");
  awa_storage(database, "finalize");
  REQUIRE(is_served(daemon, "active", "queues"));
  CHECK(eventually([&] { return count(database, "runtime_instances", "leader") == "1"; }));
  CHECK(daemon.metric(kPasses, {"outcome=\"failed\""}) == 0);
  CHECK(daemon.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 1);
}

TEST_CASE("what a move opens does not wait until its branch is due again",
          "[program][transition][T21][H30]") {
  const Database database(Database::Routing::canonical);
  database.install_fence();
  const std::string branches[] = {"rotate_queue", "rotate_lease", "rotate_claim",
                                  "terminal_count_rollup"};
  auto settings = configuration(database);
  for (const auto& branch : branches) settings += "[branches." + branch + "]\nevery = \"1h\"\n";
  const Daemon daemon("lockkeeper", settings);
  const auto each_was = [&](const std::string& outcome) {
    return std::all_of(std::begin(branches), std::end(branches), [&](const auto& branch) {
      return daemon.metric(kPasses, {"branch=\"" + branch + "\"", "outcome=\"" + outcome + "\""}) >
             0;
    });
  };
  REQUIRE(eventually([&] { return each_was("skipped"); }));

  prepare(database);
  awa_storage(database, "enter-mixed-transition --quiesced");

  CHECK(eventually([&] { return each_was("idle"); }));
}

TEST_CASE("a move that is given up is served again as before", "[program][transition][T21][H30]") {
  const Database database(Database::Routing::canonical);
  database.install_fence();
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  prepare(database);
  awa_storage(database, "enter-mixed-transition --quiesced");
  REQUIRE(is_served(daemon, "mixed_transition", "queues"));

  awa_storage(database, "abort");

  REQUIRE(eventually([&] {
    const auto log = daemon.log();
    return log.find("routed=canonical", log.find("transition=mixed_transition")) !=
           std::string::npos;
  }));
  schedule_canonical(database, "100 ms");
  CHECK(eventually([&] { return count(database, "jobs_hot") == "1"; }));
  CHECK(daemon.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 1);
}

TEST_CASE("the schema patch may come while the daemon leads", "[program][transition][T23]") {
  const Database database(Database::Routing::unpatched);
  database.sql("ALTER DEFAULT PRIVILEGES IN SCHEMA awa GRANT ALL ON TABLES TO lockkeeper");
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return daemon.has_logged("schema_patch=no"); }));
  schedule_canonical(database, "100 ms");
  REQUIRE(eventually([&] { return count(database, "jobs_hot") == "1"; }));

  apply_patch(database);

  REQUIRE(eventually([&] { return daemon.has_logged("schema_patch=yes"); }));
  schedule_canonical(database, "100 ms");
  CHECK(eventually([&] { return count(database, "jobs_hot") == "2"; }));
  CHECK(eventually([&] {
    return count(database, "queue_state_counts", "queue = 'old' AND available = 2") == "1" &&
           count(database, "admin_dirty_queue_marks") == "0";
  }));
  CHECK(daemon.metric(kPasses, {"outcome=\"failed\""}) == 0);
  CHECK(daemon.metric("lockkeeper_branch_unable") == 0);
}

TEST_CASE("a schema patch without rights on its tables ends the lead, and the grants bring it back",
          "[program][transition][T23][T24]") {
  const Database database(Database::Routing::unpatched);
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return daemon.has_logged("schema_patch=no"); }));

  apply_patch(database);

  const std::string reason =
      "no branch of the slo lane could work: role lockkeeper lacks DELETE, INSERT, SELECT ON TABLE "
      "awa.admin_dirty_queue_marks, and more on 1 other objects; run what ";
  REQUIRE(eventually([&] { return ready(daemon).body.find(reason) != std::string::npos; }));
  CHECK(ready(daemon).status == 503);
  CHECK(eventually([&] { return database.value(kHolders) == "0"; }));
  CHECK(eventually([&] { return daemon.status().find(reason) != std::string::npos; }));
  schedule_canonical(database, "0 ms");

  database.grant();

  CHECK(eventually([&] { return ready(daemon).status == 200; }));
  CHECK(eventually([&] { return count(database, "jobs_hot") == "1"; }));
}

TEST_CASE("a schema patch with few rights on its tables stops the branch that needs more",
          "[program][transition][T23][T24]") {
  const Database database(Database::Routing::unpatched);
  database.sql("ALTER DEFAULT PRIVILEGES IN SCHEMA awa GRANT INSERT ON TABLES TO lockkeeper");
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return daemon.has_logged("schema_patch=no"); }));

  apply_patch(database);

  REQUIRE(eventually([&] { return ready(daemon).status == 503; }));
  CHECK(ready(daemon).body ==
        "recompute_dirty_admin_metadata cannot work: role lockkeeper lacks DELETE, SELECT ON TABLE "
        "awa.admin_dirty_queue_marks, and more on 1 other objects; run what \"lockkeeper grants "
        "--role lockkeeper\" prints\n");
  CHECK(daemon.metric("lockkeeper_branch_unable") == 1);
  schedule_canonical(database, "0 ms");
  CHECK(eventually([&] { return count(database, "jobs_hot") == "1"; }));

  database.grant();

  CHECK(eventually([&] { return ready(daemon).status == 200; }));
  CHECK(eventually([&] { return count(database, "admin_dirty_queue_marks") == "0"; }));
  CHECK(daemon.metric("lockkeeper_branch_unable") == 0);
  CHECK(daemon.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 1);
}

}  // namespace lockkeeper::test
