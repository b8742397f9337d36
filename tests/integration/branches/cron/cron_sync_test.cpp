// SPDX-License-Identifier: Apache-2.0
//
// What the file declares stands in the database, and nothing else is touched.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/schedules.hpp"
#include "support/pass.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::cron_sync;
using Routing = Database::Routing;

namespace {

constexpr auto kNewYear = "0 0 1 1 *";

void declare(Leader& leader, const std::string& toml) {
  leader.declare(config::read_text(toml, "x.toml", {}).cron);
}

std::string one(const std::string& name, const std::string& more = "") {
  return "[[cron]]\nname = \"" + name + "\"\nexpression = \"0 0 1 1 *\"\nkind = \"report\"\n" +
         more + "\n";
}

std::string everything(const Database& database) {
  return database.value(
      "SELECT string_agg(c::text || xmin || ctid, ' ' ORDER BY name)"
      " FROM awa.cron_jobs c");
}

}  // namespace

TEST_CASE("without a declaration nothing is sent", "[branches][cron_sync]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "theirs", kNewYear);
  const auto before = everything(database);

  const auto outcome = leader.run(cron_sync);

  CHECK(outcome.rows == 0);
  CHECK(leader.statements() == 0);
  CHECK(everything(database) == before);
}

TEST_CASE("a declared schedule is written whole, with the defaults of Awa's registration",
          "[branches][cron_sync]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  declare(leader, one("short") + one("long", R"(
zone = "Europe/Berlin"
queue = "it's \\ \"mail\""
args = { n = 7, x = 1.0, deep = { list = [1, "\u00e4\u0001", true] } }
priority = 4
max_attempts = 1000
tags = ["a", "b, {c}", "NULL", ""]
metadata = { team = "sales" }
missed_fire_policy = "catch_up")"));

  CHECK(leader.run(cron_sync).rows == 2);

  CHECK(of_schedule(database, "short",
                    "concat_ws('|', cron_expr, timezone, kind, queue, args, priority, max_attempts,"
                    " tags, metadata, missed_fire_policy)") ==
        "0 0 1 1 *|UTC|report|default|{}|2|25|{}|{}|coalesce");
  CHECK(of_schedule(database, "short",
                    "last_enqueued_at IS NULL AND paused_at IS NULL AND created_at = updated_at "
                    "AND created_at > now() - interval '1 hour'") == "t");
  CHECK(of_schedule(database, "long",
                    "concat_ws('|', timezone, queue, priority, max_attempts, metadata, "
                    "missed_fire_policy)") ==
        "Europe/Berlin|it's \\ \"mail\"|4|1000|{\"team\": \"sales\"}|catch_up");
  CHECK(of_schedule(database, "long", "tags = ARRAY['a', 'b, {c}', 'NULL', '']") == "t");
  CHECK(of_schedule(database, "long", "args::text") ==
        R"({"n": 7, "x": 1.0, "deep": {"list": [1, "ä\u0001", true]}})");
}

TEST_CASE("what stands as it is declared costs one round trip and no write",
          "[branches][cron_sync]") {
  const Database database;
  Leader leader(database);
  declare(leader, one("a") + one("b"));
  leader.run(cron_sync);
  const auto before = everything(database);

  const auto outcome = leader.run(cron_sync);

  CHECK(outcome.rows == 0);
  CHECK(leader.statements() == 1);
  CHECK(everything(database) == before);
}

TEST_CASE("each column that differs is written again, and fires and pauses stay",
          "[branches][cron_sync]") {
  const std::string change = GENERATE(
      as<std::string>(), "cron_expr = '* * * * *'", "timezone = 'Europe/Paris'", "kind = 'x'",
      "queue = 'x'", "args = '{\"a\": 1}'", "priority = 1", "max_attempts = 3", "tags = '{x}'",
      "metadata = '{\"a\": 1}'", "missed_fire_policy = 'catch_up'");
  CAPTURE(change);
  const Database database;
  Leader leader(database);
  declare(leader, one("a") + one("b"));
  leader.run(cron_sync);
  const auto row = "to_jsonb(c) - 'updated_at'";
  const auto declared =
      database.value(std::string("SELECT ") + row + " FROM awa.cron_jobs c WHERE name = 'a'");
  database.sql("UPDATE awa.cron_jobs SET updated_at = '2020-01-01', " + change +
               " WHERE name = 'a'");
  const auto other = of_schedule(database, "b", "xmin");

  CHECK(leader.run(cron_sync).rows == 1);

  CHECK(database.value(std::string("SELECT ") + row + " FROM awa.cron_jobs c WHERE name = 'a'") ==
        declared);
  CHECK(of_schedule(database, "a", "updated_at > now() - interval '1 hour'") == "t");
  CHECK(of_schedule(database, "b", "xmin") == other);
}

TEST_CASE("marks of fires and pauses, and rows of others, are left as they are",
          "[branches][cron_sync]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "theirs", "* * * * *");
  add_schedule(database, "ours", "* * * * *",
               "last_enqueued_at = '2020-02-02', paused_at = '2020-03-03', paused_by = 'me'");
  const auto theirs = of_schedule(database, "theirs", "concat(xmin, ctid)");
  declare(leader, one("ours"));

  CHECK(leader.run(cron_sync).rows == 1);

  CHECK(of_schedule(database, "ours", "cron_expr") == kNewYear);
  CHECK(of_schedule(database, "ours",
                    "last_enqueued_at = '2020-02-02' AND paused_at = '2020-03-03' AND "
                    "paused_by = 'me' AND created_at = '2020-01-01'") == "t");
  CHECK(of_schedule(database, "theirs", "concat(xmin, ctid)") == theirs);

  declare(leader, one("another"));
  leader.run(cron_sync);
  CHECK(count(database, "cron_jobs") == "3");
}

TEST_CASE("a schedule that somebody holds, or that is refused, stops no other",
          "[branches][cron_sync]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "held", "* * * * *");
  database.sql("ALTER TABLE awa.cron_jobs ADD CHECK (name <> 'bad')");
  declare(leader, one("bad") + one("held") + one("good"));
  const auto other = database.session();
  other.sql("BEGIN; SELECT FROM awa.cron_jobs WHERE name = 'held' FOR UPDATE");

  CHECK(leader.run(cron_sync).rows == 1);

  CHECK(skipped(leader, cron_sync, "locked") == 1);
  CHECK(skipped(leader, cron_sync, "bad_row") == 1);
  CHECK(of_schedule(database, "good", "cron_expr") == kNewYear);
  other.sql("COMMIT");
  CHECK(leader.run(cron_sync).rows == 1);
  CHECK(of_schedule(database, "held", "cron_expr") == kNewYear);
}

TEST_CASE("a pass that was taken back leaves the rest to the next", "[branches][cron_sync]") {
  const Database database;
  Leader leader(database);
  declare(leader, one("a") + one("b") + one("c"));
  int writes = 0;
  leader.before_each([&](const std::string& statement) {
    if (statement.ends_with("/cron/declare") && ++writes == 2) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(cron_sync), pg::Error);

  CHECK(count(database, "cron_jobs") == "1");
  CHECK(leader.run_again(cron_sync).rows == 2);
  CHECK(count(database, "cron_jobs") == "3");
}

TEST_CASE("however many are declared, all are written", "[branches][cron_sync]") {
  const Database database;
  Leader leader(database);
  std::string toml;
  for (int n = 0; n < 1001; ++n) toml += one("s" + std::to_string(n));
  declare(leader, toml);

  CHECK(leader.run(cron_sync).rows == 1001);

  CHECK(count(database, "cron_jobs") == "1001");
  CHECK(leader.run(cron_sync).rows == 0);
}
