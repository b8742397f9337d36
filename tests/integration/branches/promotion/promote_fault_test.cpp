// SPDX-License-Identifier: Apache-2.0
//
// What stands in the way of one job, lane, state or plane stops no other.
#include <algorithm>
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using Routing = Database::Routing;

namespace {

// Due jobs of the plane that is not routed.
void enqueue_canonical(const Database& database, int jobs) {
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, args, state, run_at) SELECT 'k', 'old', "
      "jsonb_build_object('n', n), 'scheduled', now() - interval '1 s' FROM generate_series(1, " +
      std::to_string(jobs) + ") n");
}

std::string deferred_table(Routing routing) {
  return routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs";
}

std::string available(const Database& database, Routing routing) {
  return routing == Routing::canonical ? count(database, "jobs_hot", "state = 'available'")
                                       : count(database, "ready_entries");
}

// Passes until all is promoted, a minute at most.
bool eventually_promotes(Leader& leader, const Database& database, const std::string& table) {
  const auto end = std::chrono::steady_clock::now() + 1min;
  while (std::chrono::steady_clock::now() < end) {
    leader.run(promote_scheduled);
    if (count(database, table) == "0") return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a producer's transaction that makes a lane holds up that lane only",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "new", 5);
  enqueue_due(database, "other", 5);
  database.sql("UPDATE awa.deferred_jobs SET state = 'retryable' WHERE job_id % 5 = 0");
  enqueue_canonical(database, 4);
  const auto producer = database.session();
  producer.sql("SET ROLE awa_owner; BEGIN; SELECT awa.insert_job_compat('k', 'new', '{}')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK_FALSE(outcome.failure);
  CHECK(outcome.rows == 5 + 4);
  CHECK(count(database, "deferred_jobs", "queue = 'new'") == "5");
  producer.sql("COMMIT");
  CHECK(leader.run(promote_scheduled).rows == 5);
}

TEST_CASE("jobs that somebody else has locked do not hide those behind them",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{50});
  enqueue_due(database, "mail", 130);
  const auto admin = database.session();
  admin.sql("BEGIN; SELECT FROM awa." + deferred_table(routing) +
            " ORDER BY run_at LIMIT 120 FOR UPDATE");

  CHECK(leader.run(promote_scheduled).rows == 10);
  admin.sql("ROLLBACK");
  CHECK(leader.run(promote_scheduled).rows == 120);
}

TEST_CASE("what stops a plane as a whole is said, and stops no other",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  enqueue_canonical(database, 4);
  database.sql("REVOKE UPDATE, DELETE ON awa.deferred_jobs FROM lockkeeper");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 4);
  REQUIRE(outcome.failure);
  CHECK_THROWS_WITH(std::rethrow_exception(outcome.failure), Catch::Contains("promotion/take_due"));
}

TEST_CASE("a superseded job at the head of all stops no other queue and not the other plane",
          "[branches][promote_scheduled][T26]") {
  const std::string mask = GENERATE("01100000", "01100010");  // as cancelled it wants the key, too
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1, unique(mask));
  take_key(database);
  enqueue_due(database, "other", 5);
  enqueue_canonical(database, 4);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 5 + 4);
  CHECK_FALSE(outcome.failure);
  CHECK(count(database, "ready_entries", "queue = 'other'") == "5");
  CHECK(count(database, "jobs_hot", "state = 'available'") == "4");
}

TEST_CASE("a table that somebody has locked stops its own plane only, and few looks wait for it",
          "[branches][promote_scheduled]") {
  const std::string locked = GENERATE("scheduled_jobs", "deferred_jobs");
  const std::string limit = GENERATE("lock_timeout", "statement_timeout");
  CAPTURE(locked, limit);
  const auto other_table = locked == "scheduled_jobs" ? "deferred_jobs" : "scheduled_jobs";
  const Database database;
  Leader leader(database);
  leader.execute("SET lock_timeout = 0");
  leader.execute("SET " + limit + " = '500ms'");
  enqueue_due(database, "mail", 3);
  enqueue_canonical(database, 3);
  enqueue(database, "mail", 1, ", 'scheduled', p_run_at => now() + interval '1 hour'");
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) VALUES ('k', 'old', "
      "'scheduled', now() + interval '1 hour')");
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa." + locked);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 3);
  CHECK(outcome.failure);
  CHECK(outcome.next_due_in);
  auto fewest = leader.statements();
  for (int pass = 0; pass < 3; ++pass) {
    CHECK(leader.run(promote_scheduled).failure);
    fewest = std::min(fewest, leader.statements());
  }
  CHECK(fewest == 1);
  CHECK(count(database, other_table) == "1");
  other.sql("ROLLBACK");
  const auto end = std::chrono::steady_clock::now() + 1min;
  while (leader.run(promote_scheduled).rows == 0 && std::chrono::steady_clock::now() < end) {
  }
  CHECK(count(database, locked) == "1");
  CHECK_FALSE(leader.run(promote_scheduled).failure);
}

TEST_CASE("a batch that takes too long is tried again with fewer jobs",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  leader.execute("SET statement_timeout = '400ms'");
  enqueue_due(database, "mail", 300);
  database.sql(
      "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_sleep(0.003); RETURN NEW; END $$");
  database.sql("CREATE TRIGGER slow BEFORE INSERT ON awa." +
               std::string(routing == Routing::canonical ? "jobs_hot" : "ready_entries") +
               " FOR EACH ROW EXECUTE FUNCTION public.slow()");

  CHECK(eventually_promotes(leader, database, deferred_table(routing)));
  CHECK(available(database, routing) == "300");
}

TEST_CASE("while everything is locked a pass gives up soon, and the other plane goes on",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_canonical(database, 400);
  enqueue_due(database, "mail", 3);
  const auto refresh = database.session();
  refresh.sql("BEGIN; LOCK TABLE awa.admin_dirty_queue_marks IN ACCESS EXCLUSIVE MODE");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 3);
  CHECK(leader.statements() < 60);
  refresh.sql("ROLLBACK");
  CHECK(eventually_promotes(leader, database, "scheduled_jobs"));
}

TEST_CASE("a database without its transition row is served like a canonical one",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  enqueue_canonical(database, 4);
  database.sql("DELETE FROM awa.storage_transition_state");

  CHECK(leader.run(promote_scheduled).rows == 3 + 4);
}

TEST_CASE("a job that another constraint refuses is left alone, not cancelled",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  enqueue_due(database, "mail", 40);
  database.sql("UPDATE awa." + deferred_table(routing) +
               " SET args = '{\"n\": 7}' WHERE args ->> 'n' = '8'");
  database.sql("CREATE UNIQUE INDEX planted ON awa." +
               std::string(routing == Routing::canonical ? "jobs_hot" : "ready_entries_0") +
               " ((args ->> 'n'))");

  CHECK(leader.run(promote_scheduled).rows == 39);
  CHECK(skipped(leader, promote_scheduled, "bad_row") == 1);
  CHECK(skipped(leader, promote_scheduled, "superseded") == 0);
  CHECK(count(database, deferred_table(routing)) == "1");
}

TEST_CASE("a lane that the database refuses is told by its jobs, and stops no other",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "odd", 2);
  enqueue_due(database, "mail", 3);
  database.sql("ALTER TABLE awa.queue_lanes ADD CONSTRAINT even CHECK (queue <> 'odd')");

  CHECK(leader.run(promote_scheduled).rows == 3);
  CHECK(leader.run(promote_scheduled).rows == 0);

  CHECK(skipped(leader, promote_scheduled, "bad_row") == 2);
  CHECK(count(database, "deferred_jobs", "queue = 'odd'") == "2");
}

}  // namespace lockkeeper::test
