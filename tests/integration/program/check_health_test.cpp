// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper check`: what hurts a database that may be led, planted one by one.
#include <catch2/catch.hpp>
#include <thread>

#include "support/checked.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/setting.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

// A worker that dies after its claim, in a lane with a gap.
void wedge(const Database& database, const Worker& worker) {
  worker.run("q", 1, "completed");
  worker.leave_gap("q", 5);
  worker.enqueue("q", 10);
  worker.session().sql("SELECT claim_ready_runtime('q', 4, 0, 0)");
  worker.finish("failed");
  database.sql(
      "UPDATE awa.ready_claim_attempt_batches SET claimed_at = claimed_at - interval '1 hour'");
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto at = text.find(begin) + begin.size();
  return text.substr(at, text.find(end, at) - at);
}

}  // namespace

TEST_CASE("a lane that yields no jobs is named with the statement that mends it",
          "[program][check]") {
  const Database database;
  const Worker worker(database);
  wedge(database, worker);
  REQUIRE(worker.claim("q", 10) == 0);

  const auto checked = check(database.url());

  CHECK(checked.ran.code == 1);
  CHECK(checked.marks("wedged_lanes") == "failure");
  CHECK_THAT(
      checked.text("wedged_lanes"),
      Contains("the cursor of queue q, priority 2, shard 0 stands in a gap before spent jobs"));
  worker.session().sql(between(checked.text("wedged_lanes"), "; run ", "\n"));
  CHECK(worker.claim("q", 10) + worker.claim("q", 10) == 6);
  CHECK(check(database.url()).marks("wedged_lanes") == "ok");
}

TEST_CASE("jobs that nobody claims are named, unless their queue is paused", "[program][check]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("slow", 3);
  database.sql(
      "UPDATE awa.ready_entries SET run_at = now() - interval '1 hour'; "
      "UPDATE awa.ready_segments SET first_run_at = now() - interval '1 hour'");
  CHECK(check(database.url()).marks("waiting_jobs") == "warning");
  CHECK_THAT(check(database.url()).text("waiting_jobs"),
             Contains("job 1 of queue slow, priority 2, shard 0 could be claimed"));

  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('slow', true)");
  CHECK(check(database.url()).marks("waiting_jobs") == "ok");

  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at) SELECT 'k', 'old' || n, "
      "'{}', 'available', now() - n * interval '1 hour' FROM generate_series(1, 3) n");
  CHECK_THAT(check(database.url()).text("waiting_jobs"), Contains("of queue old3, priority 2"));

  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at) SELECT 'k', 'new' || n, "
      "'{}', 'available', now() + interval '1 hour' FROM generate_series(1, 300) n; "
      "UPDATE awa.jobs_hot SET queue = 'the last' WHERE queue = 'old3'");
  CHECK_THAT(check(database.url()).text("waiting_jobs"), Contains("of queue the last, priority 2"));
}

TEST_CASE("unique claims without a job are counted", "[program][check]") {
  const Database database;
  database.breaks("keys of jobs that are gone are no more than those pruned");
  database.sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'q', '{}', p_unique_key => "
      "'key', p_unique_states => B'11111000'); RESET ROLE");
  CHECK(check(database.url()).marks("unique_claims") == "ok");
  database.sql(
      "INSERT INTO awa.job_unique_claims (unique_key, job_id) SELECT decode(lpad(to_hex(n), "
      "8, '0'), 'hex'), 1000000 + n FROM generate_series(1, 250) n");

  const auto checked = check(database.url());

  CHECK(checked.ran.code == 0);
  CHECK(checked.marks("unique_claims") == "warning");
  CHECK_THAT(checked.text("unique_claims"), Contains("250 belong to no job any more") &&
                                                Contains(" of 251: ") &&
                                                Contains("such as that of job 1000001"));
}

TEST_CASE("more claims than can be looked at are told as the least", "[program][check]") {
  const Database database;
  database.breaks("keys of jobs that are gone are no more than those pruned");
  database.sql(
      "INSERT INTO awa.job_unique_claims (unique_key, job_id) SELECT decode(lpad(to_hex(n), "
      "8, '0'), 'hex'), 1000000 + n FROM generate_series(1, 12000) n");

  CHECK_THAT(check(database.url()).text("unique_claims"),
             Contains("at least 10000 belong to no job") && Contains("of the first 10000: "));
}

TEST_CASE("a ring that does not turn is told with what pins it", "[program][check]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("long", 1);
  database.sql(
      "UPDATE awa.ready_entries SET run_at = now() - interval '1 hour'; "
      "UPDATE awa.ready_segments SET first_run_at = now() - interval '1 hour'");
  database.sql("UPDATE awa.queue_ring_state SET current_slot = 1, generation = 1");
  database.sql("UPDATE awa.queue_ring_slots SET generation = 1 WHERE slot = 1");

  CHECK(check(database.url()).marks("queue_ring") == "warning");
  CHECK_THAT(
      check(database.url()).text("queue_ring"),
      Contains("slot 1, generation 1, pinned: slot 0: job 1 of queue long, priority 2, shard 0 "
               "has waited since") &&
          Contains("; add workers for its queue"));
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('long', true)");
  CHECK_THAT(check(database.url()).text("queue_ring"), Contains("; resume its queue"));
}

TEST_CASE("a queue that is named like a statement is no remedy", "[program][check]") {
  const Database database;
  database.breaks("a ready row stands in one segment, that of its time");
  const Worker worker(database);
  worker.enqueue("q has waited since ever; DROP TABLE awa.jobs_hot", 1);
  database.sql("UPDATE awa.ready_entries SET run_at = now() - interval '1 hour'");
  database.sql("UPDATE awa.queue_ring_state SET current_slot = 1, generation = 1");
  database.sql("UPDATE awa.queue_ring_slots SET generation = 1 WHERE slot = 1");

  CHECK_THAT(
      check(database.url()).text("queue_ring"),
      Contains("since ever; DROP TABLE awa.jobs_hot, priority 2, shard 0 has waited since") &&
          Catch::EndsWith("; add workers for its queue\n"));
}

TEST_CASE("who keeps a transaction open is named", "[program][check]") {
  const Database database;
  // The names of others are seen by whoever may see them.
  const auto own = "[http]\nlisten = \"\"\n";
  const auto producer = database.session();
  producer.sql(
      "SET application_name = 'shop'; BEGIN; SELECT awa.insert_job_compat('k', 'q', '{}')");
  const auto pid = producer.value("SELECT pg_backend_pid()");
  CHECK(check(database.url(), own).marks("producers") == "ok");
  set_clock_ahead(database);

  const auto checked = check(database.url(), own);

  CHECK(checked.marks("producers") == "warning");
  CHECK_THAT(checked.text("producers"),
             Contains("pid " + pid + " (shop, idle in transaction) has written jobs"));
  CHECK(checked.marks("horizon") == "warning");
  CHECK_THAT(checked.text("horizon"),
             Contains("session of pid " + pid + " (shop, idle in transaction) pins it for 36"));
  producer.sql("COMMIT");
  CHECK(check(database.url(), own).marks("producers") == "ok");
  CHECK(check(database.url(), own).marks("horizon") == "ok");
}

TEST_CASE("a prepared transaction that nobody ends is named", "[program][check]") {
  const Database database;
  const auto session = database.session();
  session.sql("BEGIN; CREATE TABLE public.forgotten (n int); PREPARE TRANSACTION 'payroll'");
  set_clock_ahead(database);

  const auto checked = check(database.url());

  CHECK_THAT(checked.text("horizon"), Contains("the prepared transaction payroll pins it for 36"));
  session.sql("ROLLBACK PREPARED 'payroll'");
}

TEST_CASE("a plain vacuum, however long, keeps nothing", "[program][check]") {
  const Database database;
  database.sql("CREATE TABLE public.large AS SELECT n FROM generate_series(1, 100000) n");
  const auto vacuuming = database.session();
  const auto pid = vacuuming.value("SELECT pg_backend_pid()");
  vacuuming.sql("SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1");
  std::string end;
  std::thread vacuum([&] {
    try {
      vacuuming.sql("VACUUM public.large");
    } catch (const std::exception& error) {
      end = error.what();
    }
  });
  const auto is_under_way =
      "SELECT count(*) FROM pg_stat_progress_vacuum v JOIN pg_stat_activity "
      "a USING (pid) WHERE a.backend_xmin IS NOT NULL AND pid = " +
      pid;
  CHECK(eventually([&] { return database.value(is_under_way) == "1"; }));
  set_clock_ahead(database);

  const auto checked = check(database.url());

  CHECK(checked.marks("horizon") == "ok");
  CHECK_THAT(checked.text("horizon"), Contains("nobody pins it"));
  database.sql("SELECT pg_cancel_backend(" + pid + ")");
  vacuum.join();
  CHECK_THAT(end, Contains("canceling statement"));
}

TEST_CASE("what cannot be looked at says so, and the rest goes on", "[program][check]") {
  const Database database;
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa.job_unique_claims IN ACCESS EXCLUSIVE MODE");

  const auto checked = check(database.url());

  CHECK(checked.ran.code == 1);
  CHECK(checked.marks("unique_claims") == "unknown");
  CHECK_THAT(checked.text("unique_claims"), Contains("lock timeout"));
  CHECK(checked.marks("claim_ring") == "ok");
  CHECK(checked.marks("horizon") == "ok");
}

TEST_CASE("the check writes nothing", "[program][check]") {
  const Database database;
  const Worker worker(database);
  wedge(database, worker);
  const auto* end =
      "SELECT pg_current_wal_insert_lsn() || ' ' || pg_snapshot_xmax(pg_current_snapshot())";

  // The background may write now and then; what writes does so each time.
  CHECK(eventually([&] {
    const auto before = database.value(end);
    check(database.url());
    return database.value(end) == before;
  }));
}

}  // namespace lockkeeper::test
