// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper tick`: what a pass does, what a rehearsal leaves alone, and who is not disturbed.
#include <catch2/catch.hpp>

#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Routing = Database::Routing;

namespace {

constexpr auto kConfiguration =
    "[http]\nlisten = \"\"\n"
    "[branches.cron_eval]\nenabled = false\n";

Ran tick(const Database& database, std::vector<std::string> words,
         const std::string& toml = kConfiguration) {
  const Folder folder;
  std::vector<std::string> all = {"-c", folder.write("c.toml", toml), "tick"};
  all.insert(all.end(), words.begin(), words.end());
  return lockkeeper(all, {"LOCKKEEPER_DATABASE_URL=" + database.url()});
}

void defer(const Database& database, int jobs) {
  database.sql("SET ROLE awa_owner");
  database.sql(
      "SELECT awa.insert_job_compat('kind', 'mail', '{}', 'scheduled',"
      " p_run_at => now() - interval '1 s') FROM generate_series(1, " +
      std::to_string(jobs) + ")");
  database.sql("RESET ROLE");
}

// Rows of every table of Awa's, without what sequences have given.
std::string contents(const Database& database) {
  std::string all;
  for (const auto& row : database.sql(
           "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'awa' ORDER BY 1")) {
    all += row[0] + ": " +
           database.value(
               "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY "
               "t::text)), '') FROM awa." +
               row[0] + " t") +
           "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("a tick is one pass of each branch, and then nobody leads", "[program][tick]") {
  const Database database(Routing::queue_storage);
  defer(database, 3);

  const auto ran = tick(database, {});

  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  CHECK_THAT(ran.out, Contains("promote_scheduled") && Contains("done") && Contains("3"));
  CHECK_THAT(ran.out, Contains("rotate_queue") && Contains("cleanup"));
  CHECK_THAT(ran.out, !Contains("cron_eval"));
  CHECK(database.value("SELECT count(*) FROM awa.ready_entries") == "3");
  CHECK(database.value("SELECT count(*) FROM awa.deferred_jobs") == "0");
  CHECK(database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0");
}

TEST_CASE("a tick does only what it is asked for, even if that is switched off",
          "[program][tick]") {
  const Database database(Routing::queue_storage);
  defer(database, 3);
  database.sql("UPDATE awa.deferred_jobs SET run_at = now() + interval '1 h'");

  const auto ran =
      tick(database, {"--branch", "promote_scheduled", "--branch", "cron_eval", "--json"});

  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Contains("{\"dry_run\":false,\"branches\":[{\"branch\":\"promote_scheduled\","
                               "\"lane\":\"slo\",\"outcome\":\"idle\",\"rows\":0,"));
  CHECK_THAT(ran.out, Contains("\"branch\":\"cron_eval\""));
  CHECK_THAT(ran.out, !Contains("rotate_queue"));
}

TEST_CASE("a rehearsal does everything and leaves nothing", "[program][tick]") {
  const auto routing = GENERATE(Routing::canonical, Routing::queue_storage);
  const Database database(routing);
  defer(database, 5000);  // more than a batch: the second one must see what the first has done
  const auto before = contents(database);

  const auto ran = tick(database, {"--dry-run", "--json"});

  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  CHECK_THAT(ran.out,
             Contains("{\"dry_run\":true") && Contains("\"outcome\":\"done\",\"rows\":5000,"));
  CHECK(contents(database) == before);
}

TEST_CASE("a tick takes the lock from nobody", "[program][tick]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto pid = river.holder_pid();

  const auto ran = tick(river.database(), {}, "[leadership]\ntakeover = \"terminate\"\n");

  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.err, Contains("the lock is held by pid " + std::to_string(pid)));
  CHECK(river.holder_pid() == pid);
}

TEST_CASE("a pass that fails is told, and the others are done", "[program][tick]") {
  const Database database(Routing::queue_storage);
  defer(database, 3);
  database.sql(
      "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " RAISE 'no room' USING ERRCODE = '53100'; END $$;"
      "CREATE TRIGGER refuse BEFORE INSERT ON awa.ready_entries FOR EACH STATEMENT"
      " EXECUTE FUNCTION public.refuse()");
  const bool is_rehearsal = GENERATE(false, true);

  auto words = std::vector<std::string>{"--json"};
  if (is_rehearsal) words.emplace_back("--dry-run");
  const auto ran = tick(database, words);

  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, Contains("\"branch\":\"promote_scheduled\",\"lane\":\"slo\","
                               "\"outcome\":\"failed\"") &&
                          Contains("no room"));
  CHECK_THAT(ran.out, Contains("\"branch\":\"cleanup\",\"lane\":\"hygiene\",\"outcome\":\"idle\""));
}

TEST_CASE("what a tick cannot do is one sentence", "[program][tick]") {
  const Database database(Routing::queue_storage);

  const auto unknown = tick(database, {"--branch", "promote_schedule"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Contains("no branch is named \"promote_schedule\"; did you mean "
                                   "\"promote_scheduled\"?"));

  database.sql("DELETE FROM awa.schema_version WHERE version > 39");
  const auto refused = tick(database, {});
  CHECK(refused.code == 3);
  CHECK_THAT(refused.err, Contains("39"));

  const Folder folder;
  const auto away = lockkeeper({"-c", folder.write("c.toml", kConfiguration), "tick"},
                               {"LOCKKEEPER_DATABASE_URL=host=127.0.0.1 port=1"});
  CHECK(away.code == 1);
  CHECK_THAT(away.err, Contains("see what it says") && !Contains("again"));
}

}  // namespace lockkeeper::test
