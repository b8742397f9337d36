// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "support/shown.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using Routing = Database::Routing;

TEST_CASE("an empty pass is one statement and writes nothing", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  leader.run(promote_scheduled);
  database.sql("CHECKPOINT");
  const auto before = database.value("SELECT pg_snapshot_xmax(pg_current_snapshot())");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(leader.statements() == 1);
  CHECK(outcome.rows == 0);
  CHECK(database.value("SELECT pg_snapshot_xmax(pg_current_snapshot())") == before);
}

TEST_CASE("jobs that are not due stay and tell when to come again",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SELECT awa.insert_job_compat('k', 'mail', '{}', 'scheduled', p_run_at => now() + "
      "interval '1 hour')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 0);
  CHECK(count(database, "deferred_jobs") == "1");
  REQUIRE(outcome.next_due_in);
  CHECK(*outcome.next_due_in > 59min);
  CHECK(*outcome.next_due_in <= 1h);
}

TEST_CASE("how late jobs were is what is counted of them", "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  enqueue(database, "mail", 3, ", 'scheduled', p_run_at => now() - interval '1 hour'");

  REQUIRE(leader.run(promote_scheduled).rows == 3);

  const auto sum = shown(leader.registry(), "lockkeeper_job_promotion_lateness_seconds_sum");
  CHECK(sum >= 3 * 3600);
  CHECK(sum < 3 * 3600 + 3 * 600);
}

TEST_CASE("a pass ends at its limit and asks to come again", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{100});
  leader.set(promote_scheduled, "max_batches", std::int64_t{3});
  enqueue_due(database, "mail", 1000);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.backlog);
  CHECK(outcome.rows > 0);
  CHECK(outcome.rows <= 300);
}

TEST_CASE("a paused queue of queue storage waits, a paused canonical one does not",
          "[branches][promote_scheduled][T1][T2]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('billing', true)");
  enqueue_due(database, "billing", 2);
  database.sql(std::string("UPDATE awa.") +
               (routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs") +
               " SET state = 'retryable' WHERE args ->> 'n' = '1'");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == (routing == Routing::canonical ? 2 : 0));
}

TEST_CASE("a long backlog of one state does not keep another waiting",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{100});
  enqueue_due(database, "mail", 1);
  leader.run(promote_scheduled);  // makes the lane
  leader.set(promote_scheduled, "max_batches", std::int64_t{2});
  enqueue_due(database, "mail", 1000);
  database.sql("UPDATE awa.deferred_jobs SET state = 'retryable' WHERE (args ->> 'n')::int > 995");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 100 + 5);
  CHECK(outcome.backlog);
  CHECK(count(database, "deferred_jobs", "state = 'retryable'") == "0");
}

TEST_CASE("a superseded job is cancelled and stops no other",
          "[branches][promote_scheduled][T5][I9]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  CAPTURE(routing == Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  // The mask claims while available and running, so a newer job could take the key.
  enqueue_due(database, "mail", 1, unique("01100000"));
  const std::string id =
      database.value(routing == Routing::canonical ? "SELECT id FROM awa.scheduled_jobs"
                                                   : "SELECT job_id FROM awa.deferred_jobs");
  take_key(database);
  enqueue_due(database, "other", 5);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 5);
  CHECK(skipped(leader, promote_scheduled, "superseded") == 1);
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == "999999");
  const auto errors = routing == Routing::canonical
                          ? database.value(
                                "SELECT errors[1] ->> 'error' FROM awa.jobs_hot WHERE state = "
                                "'cancelled' AND id = " +
                                id)
                          : database.value(
                                "SELECT payload #>> '{errors,0,error}' FROM awa.done_entries WHERE "
                                "state = 'cancelled' AND job_id = " +
                                id);
  CHECK(errors == "superseded: unique claim held by job 999999");
}

TEST_CASE("a fault in one plane never stops the other", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) SELECT 'k', 'old', "
      "'scheduled', now() FROM generate_series(1, 4)");
  database.sql("ALTER TABLE awa.ready_entries ADD CONSTRAINT planted CHECK (kind <> 'kind')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 4);
  CHECK(count(database, "jobs_hot", "state = 'available'") == "4");
}

TEST_CASE("what is not yet due is not read, however much it is and has grown",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  const std::string table = routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs";
  database.sql("ALTER TABLE awa." + table + " SET (autovacuum_enabled = false)");
  database.sql("VACUUM ANALYZE awa." + table);
  Leader leader(database);
  enqueue_due(database, "mail", 1);
  REQUIRE(leader.run(promote_scheduled).rows == 1);  // the plans are made
  enqueue(database, "mail", 20'000, ", 'scheduled', p_run_at => now() + n * interval '1 hour'");
  enqueue_due(database, "mail", 10);

  const auto read = rows_read(database, leader, table, [&] { leader.run(promote_scheduled); });

  CHECK(count(database, table) == "20000");
  CHECK(read < 1000);
}

TEST_CASE("infinite times are times", "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  enqueue(database, "mail", 1, ", 'scheduled', p_run_at => '-infinity'");
  enqueue(database, "mail", 1, ", 'scheduled', p_run_at => 'infinity'");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 1);
  REQUIRE(outcome.next_due_in);
  CHECK(*outcome.next_due_in > 24h);
}

TEST_CASE("a batch reads what a batch is, whatever the tables were when its plan was made",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const bool is_known = GENERATE(true, false);
  const bool has_bad_job = GENERATE(false, true);
  CAPTURE(routing == Routing::canonical, is_known, has_bad_job);
  const Database database(routing);
  const std::string table = routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs";
  database.sql("ALTER TABLE awa." + table + " SET (autovacuum_enabled = false)");
  if (is_known) database.sql("VACUUM ANALYZE awa." + table);
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{100});
  enqueue_due(database, "mail", 1);
  REQUIRE(leader.run(promote_scheduled).rows == 1);  // the plans are made
  enqueue_due(database, "mail", 4000);
  if (has_bad_job) {
    database.sql(std::string("ALTER TABLE awa.") +
                 (routing == Routing::canonical ? "jobs_hot" : "ready_entries") +
                 " ADD CONSTRAINT planted CHECK (args ->> 'n' <> '137')");
  }

  const auto read = rows_read(database, leader, table, [&] { leader.run(promote_scheduled); });

  CHECK(count(database, table) == (has_bad_job ? "1" : "0"));
  CHECK(read < 10 * 4000);
}

TEST_CASE("due jobs of paused queues are read rarely, once that has shown to take long",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "paused", 2000,
          ", 'scheduled', p_run_at => now() - interval '1 hour' + n * interval '1 ms'");
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('paused', true)");
  bool is_slow = true;
  leader.before_each([&](const std::string& statement) {
    if (!is_slow || statement.find("next_due") == std::string::npos) return;
    is_slow = false;
    database.sql("SELECT pg_sleep(0.3)");  // as with a million of them
  });
  leader.run(promote_scheduled);
  enqueue_due(database, "mail", 5);

  const auto read = rows_read(database, leader, "deferred_jobs",
                              [&] { CHECK(leader.run(promote_scheduled).rows == 5); });

  CHECK(read < 500);
  database.sql("DELETE FROM awa.queue_meta");
  std::int64_t promoted = 0;
  const auto end = std::chrono::steady_clock::now() + 1min;
  while (promoted < 2000 && std::chrono::steady_clock::now() < end) {
    promoted += leader.run(promote_scheduled).rows;
  }
  CHECK(promoted == 2000);
}

}  // namespace lockkeeper::test
