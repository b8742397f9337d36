// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with one schedule, or in its way, stops no other and is told once.
#include <catch2/catch.hpp>
#include <chrono>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/schedules.hpp"
#include "metrics/names.hpp"
#include "support/pass.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::cron_eval;
using Routing = Database::Routing;

namespace {

constexpr auto kNewYear = "0 0 1 1 *";

}  // namespace

TEST_CASE("bad schedules are told once and stop nobody else", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  const auto long_text = "repeat('x', 10000)";
  add_schedule(database, "a", "99 * * * *");
  add_schedule(database, "b", kNewYear, "timezone = 'Europe/Atlantis'");
  add_schedule(database, "c", kNewYear, "metadata = '[1]'");
  add_schedule(database, "d", kNewYear, std::string("cron_expr = ") + long_text);
  add_schedule(database, "e", kNewYear, std::string("timezone = ") + long_text);
  add_schedule(database, "f", kNewYear, "last_enqueued_at = 'infinity'");
  add_schedule(database, "g", kNewYear, "created_at = '-infinity'");
  add_schedule(database, "z", kNewYear, "last_enqueued_at = '2020-01-01'");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(skipped(leader, cron_eval, "bad_row") == 7);
  CHECK(leader.registry().value(metrics::names::kCronSchedules, {{"state", "bad"}}) == 7);
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(skipped(leader, cron_eval, "bad_row") == 7);
  database.sql(
      "UPDATE awa.cron_jobs SET cron_expr = '0 0 1 1 *', last_enqueued_at = '2020-01-01'"
      " WHERE name = 'a'");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(leader.registry().value(metrics::names::kCronSchedules, {{"state", "bad"}}) == 6);
}

TEST_CASE("a job that Awa refuses stops its schedule only, until the row changes",
          "[branches][cron_eval]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  add_schedule(database, "a", kNewYear, "last_enqueued_at = '2020-01-01', priority = 9");
  add_schedule(database, "b", kNewYear, "last_enqueued_at = '2020-01-01', kind = repeat('k', 201)");
  add_schedule(database, "c", kNewYear,
               "last_enqueued_at = '2020-01-01', tags = array_fill('t'::text, '{21}')");
  add_schedule(database, "d", kNewYear,
               "last_enqueued_at = '2020-01-01', queue = repeat('q', 201)");
  add_schedule(database, "e", kNewYear, "last_enqueued_at = '2020-01-01'");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(skipped(leader, cron_eval, "bad_row") == 4);
  CHECK(of_schedule(database, "a", "last_enqueued_at") == "2020-01-01 00:00:00+00");
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(leader.statements() == 1);
  database.sql("UPDATE awa.cron_jobs SET updated_at = now()");  // as workers do each minute
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(skipped(leader, cron_eval, "bad_row") == 4);
  database.sql("UPDATE awa.cron_jobs SET priority = 2 WHERE name = 'a'");

  CHECK(leader.run(cron_eval).rows == 1);
}

TEST_CASE("a schedule that somebody is writing is not waited for", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  leader.execute("SET lock_timeout = 0");
  add_schedule(database, "a", kNewYear, "last_enqueued_at = '2020-01-01'");
  add_schedule(database, "b", kNewYear, "last_enqueued_at = '2020-01-01'");
  const auto other = database.session();
  other.sql("BEGIN; UPDATE awa.cron_jobs SET queue = 'other' WHERE name = 'a'");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(of_job(database, "metadata ->> 'cron_name'") == "b");
  other.sql("COMMIT");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(of_job(database, "queue", "metadata ->> 'cron_name' = 'a'") == "other");
}

TEST_CASE("a lane that a producer holds delays the schedules of its queue only",
          "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "held", 1);
  for (const auto* name : {"a", "b", "c"}) {
    add_schedule(database, name, kNewYear, "last_enqueued_at = '2020-01-01', queue = 'held'");
  }
  add_schedule(database, "z", kNewYear, "last_enqueued_at = '2020-01-01'");
  const auto producer = database.session();
  producer.sql("BEGIN; SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'held')");

  CHECK(leader.run(cron_eval).rows == 1);
  CHECK(of_job(database, "metadata ->> 'cron_name'") == "z");
  CHECK(skipped(leader, cron_eval, "locked") == 1);
  producer.sql("COMMIT");

  // They are left alone for a second.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (fires(database) != "4" && std::chrono::steady_clock::now() < limit) leader.run(cron_eval);
  CHECK(fires(database) == "4");
}

TEST_CASE("schedules at the ends of time stop nobody", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  const auto zone = GENERATE(as<std::string>(), "UTC", "Europe/Berlin", "Pacific/Apia");
  const auto add = [&](const std::string& name, const std::string& columns) {
    add_schedule(database, name, "*/5 * * * *", columns + ", timezone = '" + zone + "'");
  };
  add("a", "last_enqueued_at = '0001-01-01 00:00:00.000001'");
  add("b", "last_enqueued_at = '9999-12-30 23:59:59.999999', missed_fire_policy = 'catch_up'");
  add("c", "created_at = '0001-01-01'");
  add("d", "created_at = '9999-12-30'");
  add("e", "last_enqueued_at = '4713-01-01 BC'");
  add("f", "created_at = '294276-12-31'");
  add("g", "updated_at = 'infinity', paused_by = E'\\n', last_enqueued_at = '2020-01-01'");
  add("h", "paused_at = '-infinity'");

  CHECK(leader.run(cron_eval).failure == nullptr);

  CHECK(database.value("SELECT string_agg(name, ' ' ORDER BY name) FROM awa.cron_jobs WHERE "
                       "last_enqueued_at > now() - interval '6 minutes' AND last_enqueued_at <= "
                       "now()") == "a c g");
  CHECK(skipped(leader, cron_eval, "bad_row") == 2);
  leader.run(cron_eval);
  CHECK(skipped(leader, cron_eval, "bad_row") == 2);
}

TEST_CASE("schedules with awkward names and queues fire like any other", "[branches][cron_eval]") {
  const Database database;
  Leader leader(database);
  database.sql(
      R"(INSERT INTO awa.cron_jobs (name, cron_expr, kind, queue, created_at, last_enqueued_at, tags,
           args) SELECT n, '0 0 1 1 *', 'k', left(n, 14), '2020-01-01', '2020-01-01', ARRAY[NULL, ''],
           'null' FROM unnest(ARRAY['', ' ', '''"\', E'a\nb', chr(8238) || 'x', '{}', '%s', '$1', 'NULL',
           repeat(chr(127754), 50), repeat('n', 400)]) n)");
  add_schedule(database, "long", "0 0 1 1 *", "name = repeat(chr(127754), 401)");

  CHECK(leader.run(cron_eval).rows == 11);
  CHECK(skipped(leader, cron_eval, "bad_row") == 1);
  CHECK(leader.run(cron_eval).rows == 0);
  CHECK(fires(database) == "11");
}
