// SPDX-License-Identifier: Apache-2.0
//
// Schedules fire, once each, in both planes. Expressions mean midnights of New Year's Day where
// the number of fires matters, so that it does not depend on when the test runs.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/schedules.hpp"
#include "metrics/names.hpp"
#include "support/pass.hpp"
#include "support/shown.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::cron_eval;
using Routing = Database::Routing;

namespace {

constexpr auto kNewYear = "0 0 1 1 *";

bool is_fire(const std::string& statement) { return statement.ends_with("/cron/fire"); }

// Lets somebody else act between the look and the fire.
void before_fire(Leader& leader, const Database& database, const std::string& sql) {
  leader.before_each([&database, sql](const std::string& statement) {
    if (is_fire(statement)) database.sql(sql);
  });
}

std::string years_since(const Database& database, int year) {
  return database.value("SELECT extract(year FROM now() AT TIME ZONE 'UTC')::int - " +
                        std::to_string(year));
}

}  // namespace

TEST_CASE("a fire makes the job that the schedule describes, and marks the schedule",
          "[branches][cron_eval][H12][H13]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  add_schedule(
      database, "yearly", kNewYear,
      "last_enqueued_at = now() - interval '366 days', args = '{\"n\": 7}', priority = 3,"
      "max_attempts = 4, tags = '{a,b}', metadata = '{\"a\": 1}', updated_at = '2020-01-01'");
  const auto midnight = database.value(
      "SELECT to_char(date_trunc('year', now() AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS')");

  const auto since_midnight = [&] {
    return std::stod(database.value("SELECT extract(epoch FROM now() - '" + midnight + "+00')"));
  };
  const auto before = since_midnight();

  const auto outcome = leader.run(cron_eval);

  CHECK(outcome.rows == 1);
  CHECK(fires(database) == "1");
  const auto late = shown(leader.registry(), "lockkeeper_cron_fire_lateness_seconds_sum");
  CHECK(late >= before - 1);
  CHECK(late <= since_midnight() + 1);
  CHECK(
      of_job(database, "concat_ws(' ', kind, queue, args, priority, max_attempts, tags, state)") ==
      "report mail {\"n\": 7} 3 4 [\"a\", \"b\"] available");
  CHECK(of_job(database, "metadata") ==
        "{\"a\": 1, \"cron_name\": \"yearly\", \"cron_fire_time\": \"" + midnight + "+00\"}");
  CHECK(of_job(database, "run_at > now() - interval '1 hour'") == "t");
  CHECK(of_schedule(database, "yearly", "last_enqueued_at = '" + midnight + "+00'") == "t");
  CHECK(of_schedule(database, "yearly", "updated_at > now() - interval '1 hour'") == "t");
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(fires(database) == "1");
}

TEST_CASE("what was missed becomes one job, or one job each", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "one", kNewYear, "last_enqueued_at = '2020-01-01'");
  add_schedule(database, "each", kNewYear,
               "last_enqueued_at = '2020-01-01', missed_fire_policy = 'catch_up'");

  leader.run(cron_eval);

  CHECK(fires(database, "metadata ->> 'cron_name' = 'one'") == "1");
  CHECK(fires(database, "metadata ->> 'cron_name' = 'each'") == years_since(database, 2020));
  CHECK(of_job(database, "metadata ->> 'cron_fire_time'", "metadata ->> 'cron_name' = 'each'") ==
        "2021-01-01 00:00:00+00");
}

TEST_CASE("a schedule that has never fired begins with its creation", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  const std::string policy = GENERATE("coalesce", "catch_up");
  add_schedule(database, "new", kNewYear,
               "missed_fire_policy = '" + policy + "', created_at = now()");
  add_schedule(database, "just", kNewYear,
               "created_at = date_trunc('year', now(), 'UTC') + interval '30 s',"
               "missed_fire_policy = '" +
                   policy + "'");

  leader.run(cron_eval);

  CHECK(fires(database) == "1");
  CHECK(of_job(database, "metadata ->> 'cron_name'") == "just");
}

TEST_CASE("the zone of a schedule counts", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "berlin", kNewYear,
               "timezone = 'Europe/Berlin', last_enqueued_at = '2024-06-01',"
               "missed_fire_policy = 'catch_up'");

  leader.run(cron_eval);

  CHECK(of_job(database, "metadata ->> 'cron_fire_time'") == "2024-12-31 23:00:00+00");
}

TEST_CASE("each pass makes so many fires, schedule by schedule, and each in its turn",
          "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  leader.set(cron_eval, "max_fires", std::int64_t{4});
  for (const auto* name : {"a", "b"}) {
    add_schedule(database, name, kNewYear,
                 "last_enqueued_at = '1990-01-01', missed_fire_policy = 'catch_up'");
  }

  const auto outcome = leader.run(cron_eval);

  CHECK(outcome.rows == 4);
  CHECK(outcome.backlog);
  CHECK(leader.turns() >= 5);
  for (const auto* name : {"a", "b"}) {
    CHECK(of_schedule(database, name, "last_enqueued_at") == "1992-01-01 00:00:00+00");
  }
  CHECK(leader.run(cron_eval).rows == 4);
}

TEST_CASE("another leader that was faster leaves nothing to fire", "[branches][cron_eval][H9]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "yearly", kNewYear, "last_enqueued_at = '2020-01-01'");
  before_fire(leader, database,
              "UPDATE awa.cron_jobs SET last_enqueued_at = date_trunc('year', now(), 'UTC')");

  const auto outcome = leader.run(cron_eval);

  CHECK(outcome.rows == 0);
  CHECK(fires(database) == "0");
}

TEST_CASE("the mark of the last fire is compared to the microsecond", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "exact", kNewYear, "last_enqueued_at = '2020-01-01 00:00:00.123457'");
  add_schedule(database, "other", kNewYear, "last_enqueued_at = '2020-01-01 00:00:00.123457'");
  before_fire(leader, database,
              "UPDATE awa.cron_jobs SET last_enqueued_at = '2020-01-01 00:00:00.123458'"
              " WHERE name = 'other'");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(of_job(database, "metadata ->> 'cron_name'") == "exact");
}

TEST_CASE("a schedule that is paused or deleted in the last moment does not fire",
          "[branches][cron_eval][H10]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "yearly", kNewYear, "last_enqueued_at = '2020-01-01'");
  before_fire(leader, database,
              GENERATE("UPDATE awa.cron_jobs SET paused_at = now()", "DELETE FROM awa.cron_jobs"));

  const auto outcome = leader.run(cron_eval);

  CHECK(outcome.rows == 0);
  CHECK(fires(database) == "0");
  CHECK(database.value("SELECT count(*) FROM awa.cron_jobs WHERE last_enqueued_at > "
                       "'2020-01-01'") == "0");
  leader.before_each(nullptr);
  CHECK(leader.run(cron_eval).rows == 0);
}

TEST_CASE("a paused schedule waits, and its policy decides when it goes on",
          "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  add_schedule(
      database, "yearly", kNewYear,
      "last_enqueued_at = '2020-01-01', paused_at = now(), missed_fire_policy = 'catch_up'");

  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(of_schedule(database, "yearly", "last_enqueued_at") == "2020-01-01 00:00:00+00");
  database.sql("UPDATE awa.cron_jobs SET paused_at = NULL");

  CHECK(std::to_string(leader.run(cron_eval).rows) == years_since(database, 2020));
}

TEST_CASE("an idle pass is one statement, and writes nothing", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "yearly", kNewYear, "last_enqueued_at = date_trunc('year', now(), 'UTC')");
  add_schedule(database, "never", "0 0 30 2 *");
  add_schedule(database, "bad", "x");
  leader.run(cron_eval);
  const auto next_transaction = "SELECT pg_snapshot_xmax(pg_current_snapshot())";
  const auto before = database.value(next_transaction);

  const auto outcome = leader.run(cron_eval);

  CHECK(outcome.rows == 0);
  CHECK(leader.statements() == 1);
  CHECK(leader.turns() == 1);
  CHECK(database.value(next_transaction) == before);
}

TEST_CASE("a pass says when the next schedule fires", "[branches][cron_eval]") {
  using namespace std::chrono_literals;
  const Database database;
  Leader leader(database);
  CHECK_FALSE(leader.run(cron_eval).next_due_in);
  add_schedule(database, "often", "* * * * * *", "last_enqueued_at = now()");

  const auto outcome = leader.run(cron_eval);

  REQUIRE(outcome.next_due_in);
  CHECK(*outcome.next_due_in <= 1s);
}

TEST_CASE("a lane that a fire makes can be used by the workers, whoever makes it",
          "[branches][cron_eval]") {
  const Database database;
  const bool is_member = GENERATE(true, false);  // of the owner of Awa's tables
  Leader leader(database, "", is_member ? database.member_url() : database.url());
  add_schedule(database, "a", kNewYear, "last_enqueued_at = '2020-01-01', queue = 'new'");

  leader.run(cron_eval);

  CHECK(database.value("SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',') FROM pg_class "
                       "WHERE relname ~ '^queue_(enqueue|claim)_seq_'") ==
        (is_member ? "awa_owner" : "lockkeeper"));
  CHECK_NOTHROW(enqueue(database, "new", 1));
}

TEST_CASE("workers hear of a fired job at once", "[branches][cron_eval][H13]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  Listener worker(database, {"awa:mail"});
  add_schedule(database, "a", kNewYear, "last_enqueued_at = '2020-01-01'");

  leader.run(cron_eval);

  CHECK(worker.hears(1) == Listener::Heard{{"awa:mail", ""}});
}

TEST_CASE("a thousand schedules are read in pages, and a change in one is one row",
          "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  leader.set(cron_eval, "max_fires", std::int64_t{10'000});
  database.sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, kind, last_enqueued_at, metadata)"
      " SELECT 'schedule ' || n || repeat('n', 300), '0 0 1 1 *' || repeat(' ', 900), 'report',"
      " date_trunc('year', now(), 'UTC'), jsonb_build_object('text', repeat('m', 3000))"
      " FROM generate_series(1, 1000) n");

  CHECK(leader.run(cron_eval).rows == 0);  // no reply has more than 64 kB, or it throws
  CHECK(leader.registry().value(metrics::names::kCronSchedules, {{"state", "ready"}}) == 1000);
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(leader.statements() == 1);
  database.sql(
      "UPDATE awa.cron_jobs SET last_enqueued_at = '2020-01-01'"
      " WHERE name LIKE 'schedule 500n%'");
  CHECK(leader.run(cron_eval).rows == 1);
  database.sql("DELETE FROM awa.cron_jobs WHERE name LIKE 'schedule 1%'");
  leader.run(cron_eval);
  CHECK(leader.registry().value(metrics::names::kCronSchedules, {{"state", "ready"}}) == 888);
}

TEST_CASE("schedules that were declared anew each minute are read and not made anew",
          "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  add_schedule(database, "a", kNewYear, "last_enqueued_at = date_trunc('year', now(), 'UTC')");
  leader.run(cron_eval);
  database.sql("UPDATE awa.cron_jobs SET updated_at = clock_timestamp()");

  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(leader.statements() == 3);  // the look, the row, and that there is no other
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(leader.statements() == 1);
}
