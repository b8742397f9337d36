// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "metrics/names.hpp"
#include "support/pass.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::promote_scheduled;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

namespace {

enum class Receipt { compact, row_local };

void enqueue(const Database& database, const std::string& queue, int jobs,
             const std::string& more = "") {
  database.sql("SET ROLE awa_owner");  // whoever comes first owns the lane's sequences
  database.sql("SELECT awa.insert_job_compat('kind', '" + queue + "', jsonb_build_object('n', n)" +
               more + ") FROM generate_series(1, " + std::to_string(jobs) + ") n");
  database.sql("RESET ROLE");
}

// Claims as a worker does: without a deadline into a compact batch, with one row by row.
void claim(const Database& database, const std::string& queue, int jobs, Receipt receipt) {
  database.sql("SELECT * FROM awa.claim_ready_runtime('" + queue + "', " + std::to_string(jobs) +
               ", " + (receipt == Receipt::compact ? "0" : "300") + ", 0)");
}

// The worker died an hour ago.
void age(const Database& database) {
  database.sql("UPDATE awa.lease_claims SET claimed_at = claimed_at - interval '1 hour'");
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = claimed_at - interval '1 hour'");
}

// What a worker does when it needs a lease; the claim stays open.
void materialise(const Database& database) {
  database.sql(
      "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, "
      "job_id, queue, state, priority, attempt, run_lease, max_attempts, lane_seq, "
      "enqueue_shard, heartbeat_at, attempted_at) SELECT 0, 0, ready_slot, "
      "ready_generation, job_id, queue, 'running', priority, attempt, run_lease, "
      "max_attempts, lane_seq, enqueue_shard, claimed_at, claimed_at FROM awa.lease_claims");
}

std::string count(const Database& database, const std::string& table,
                  const std::string& where = "true") {
  return database.value("SELECT count(*) FROM awa." + table + " WHERE " + where);
}

// Claims and closures of both ledgers, as prune counts them.
std::string claims_minus_closures(const Database& database) {
  return database.value(
      "SELECT (SELECT count(*) FROM awa.lease_claims) + (SELECT COALESCE(sum(claimed_count), 0) "
      "FROM "
      "awa.lease_claim_batches) - (SELECT count(*) FROM awa.lease_claim_closures) - (SELECT "
      "COALESCE(sum(closed_count), 0) FROM awa.lease_claim_closure_batches)");
}

double rescued(Leader& leader, const std::string& kind) {
  return leader.registry().value(metrics::names::kAwaRescues, {{"awa_rescue_kind", kind}});
}

double skipped(Leader& leader, const std::string& reason) {
  return leader.registry().value(metrics::names::kRowsSkipped,
                                 {{"branch", "rescue_stale_heartbeats"}, {"reason", reason}});
}

}  // namespace

TEST_CASE("stale receipts of both kinds are rescued with back-off and one closure each",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  database.install_fence();
  Leader leader(database);
  enqueue(database, "mail", 20);
  claim(database, "mail", 20, receipt);
  age(database);

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 20);
  CHECK(count(database, "deferred_jobs",
              "state = 'retryable' AND attempt = 1 AND run_lease = 1 AND priority = 2 AND "
              "run_at BETWEEN now() + interval '1 s' AND now() + interval '3 s' AND "
              "payload #>> '{errors,0,error}' = 'receipt claim stale: worker presumed dead'") ==
        "20");
  CHECK(claims_minus_closures(database) == "0");
  CHECK(rescued(leader, "heartbeat") == 20);
  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
}

TEST_CASE("a receipt whose worker still beats is left alone",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2, receipt);
  age(database);
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (1, 1, now())");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
}

TEST_CASE("progress goes with the job and the attempt's state is gone",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, Receipt::compact);
  age(database);
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at, progress) VALUES (1, 1, "
      "now() - interval '1 hour', '{\"percent\": 40}')");

  leader.run(rescue_stale_heartbeats);

  CHECK(database.value("SELECT payload #>> '{progress,percent}' FROM awa.deferred_jobs") == "40");
  CHECK(count(database, "attempt_state") == "0");
}

TEST_CASE("a stale lease ends with its receipt closed as rescue",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3);
  claim(database, "mail", 3, Receipt::row_local);
  age(database);
  materialise(database);

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 3);
  CHECK(count(database, "leases") == "0");
  CHECK(count(database, "lease_claim_closures", "outcome = 'rescue'") == "3");
  CHECK(claims_minus_closures(database) == "0");
  CHECK(count(database, "deferred_jobs",
              "payload #>> '{errors,0,error}' = 'heartbeat stale: worker presumed dead'") == "3");
}

TEST_CASE("a lease with a newer heartbeat than its attempt state is alive",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, Receipt::row_local);
  age(database);
  materialise(database);
  database.sql("UPDATE awa.leases SET heartbeat_at = now()");
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (1, 1, now() - "
      "interval '1 hour')");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
}

TEST_CASE("an attempt that ends between the look and the lock is not rescued",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2, receipt);
  age(database);
  bool has_ended = false;
  leader.before_each([&](const std::string& statement) {
    if (has_ended || statement.find("lock_stale") == std::string::npos) return;
    has_ended = true;
    // A worker completes job 1, as 0.6.9 does: a closure batch, whatever the kind of receipt.
    database.sql(
        "INSERT INTO awa.lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, "
        "outcome, closed_count, receipt_ids, receipt_ranges) SELECT claim_slot, ready_slot, "
        "ready_generation, 'completed', 1, ARRAY[receipt_id], "
        "int8multirange(int8range(receipt_id, receipt_id, '[]')) FROM (SELECT claim_slot, "
        "ready_slot, "
        "ready_generation, receipt_id, job_id FROM awa.lease_claims UNION ALL SELECT claim_slot, "
        "ready_slot, ready_generation, i.r, i.j FROM awa.lease_claim_batches, unnest(receipt_ids, "
        "job_ids) i(r, j)) c WHERE job_id = 1");
  });

  const auto outcome = leader.run(rescue_stale_heartbeats);

  REQUIRE(has_ended);
  CHECK(outcome.rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("an attempt whose key its worker holds is left for the next pass, the others are not",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 10);
  claim(database, "mail", 10, receipt);
  age(database);
  const auto worker = database.session();
  worker.sql("BEGIN");
  worker.sql("SELECT pg_advisory_xact_lock(hashtextextended('awa.receipt.complete:3:1', 0))");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 9);
  CHECK(count(database, "deferred_jobs", "job_id = 3") == "0");
  worker.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
}

TEST_CASE("a missing ready row leaves its attempt untouched and stops no other",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 5);
  claim(database, "mail", 5, receipt);
  age(database);
  database.sql("DELETE FROM awa.ready_entries WHERE job_id = 2");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 4);
  CHECK(skipped(leader, "missing_ready_row") == 1);
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("a payload that is no object is rescued like any other",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3);
  claim(database, "mail", 3, Receipt::compact);
  age(database);
  database.sql("UPDATE awa.ready_entries SET payload = '[1, 2]' WHERE job_id = 1");
  database.sql(
      "UPDATE awa.ready_entries SET payload = '{\"errors\": null, \"metadata\": 7}' WHERE job_id = "
      "2");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 3);
  CHECK(database.value("SELECT bool_and(jsonb_array_length(payload -> 'errors') = 1) FROM "
                       "awa.deferred_jobs") == "t");
}

TEST_CASE("attempts beyond the reach of the back-off function wait a day",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 4);
  database.sql("UPDATE awa.ready_entries SET attempt = (ARRAY[42, 43, 99, 1099])[job_id]");
  claim(database, "mail", 4, Receipt::compact);
  age(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 4);
  CHECK(count(database, "deferred_jobs", "run_at > now() + interval '23 hours'") == "4");
}

TEST_CASE("an attempt that a constraint refuses stops no other",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 60);
  claim(database, "mail", 60, Receipt::compact);
  age(database);
  database.sql("ALTER TABLE awa.deferred_jobs ADD CONSTRAINT planted CHECK (job_id <> 37)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 59);
  CHECK(skipped(leader, "bad_row") == 1);
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("a job whose key a newer one holds is cancelled and keeps its lane",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1, ", p_unique_key => 'key', p_unique_states => B'11001000'");
  claim(database, "mail", 1, Receipt::compact);
  database.sql("UPDATE awa.lease_claim_batches SET priority = 1");  // claimed as an aged job
  age(database);
  database.sql("DELETE FROM awa.job_unique_claims");
  database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(rescued(leader, "heartbeat_duplicate_cancelled") == 1);
  CHECK(database.sql(
            "SELECT state, priority, payload #>> '{errors,1,error}' FROM awa.done_entries")[0] ==
        Row{"cancelled", "2", "rescued as duplicate: unique claim held by a newer job"});
  CHECK(database.value("SELECT sum(terminal_delta) FROM awa.queue_terminal_count_deltas") == "1");
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == "999999");
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("canonical jobs without a heartbeat become retryable, due at once",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  database.install_fence();
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, attempt, run_lease, run_at, heartbeat_at, "
      "deadline_at) SELECT 'k', 'mail', 'running', 3, 3, now() - interval '2 hours', now() - "
      "interval '1 hour', now() FROM generate_series(1, 5)");
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at) VALUES ('k', 'mail', "
      "'running', now())");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 5);
  CHECK(
      count(
          database, "scheduled_jobs",
          "state = 'retryable' AND attempt = 3 AND run_lease = 3 AND deadline_at IS NULL AND "
          "heartbeat_at IS NULL AND run_at < now() - interval '1 hour' AND errors[1] ->> 'error' = "
          "'heartbeat stale: worker presumed dead'") == "5");
  CHECK(count(database, "jobs_hot") == "1");
}

TEST_CASE("a canonical job whose key a newer one holds is cancelled, the others are rescued",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at, unique_key, unique_states) "
      "SELECT 'k', 'mail', 'running', now() - interval '1 hour', CASE n WHEN 3 THEN "
      "'key'::bytea END, CASE n WHEN 3 THEN B'11001000' END FROM generate_series(1, 6) n");
  database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 6);
  CHECK(count(database, "jobs_hot", "state = 'cancelled'") == "1");
  CHECK(count(database, "scheduled_jobs") == "5");
}

TEST_CASE("an empty pass is one statement", "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);

  leader.run(rescue_stale_heartbeats);

  CHECK(leader.statements() == 1);
}

TEST_CASE("finished receipts do not hide a stale one behind them",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3000);
  claim(database, "mail", 3000, Receipt::row_local);
  database.sql(
      "UPDATE awa.lease_claims SET claimed_at = now() - interval '2 hours' + job_id * interval '1 "
      "ms'");
  database.sql(
      "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome) SELECT "
      "claim_slot, job_id, run_lease, 'completed' FROM awa.lease_claims WHERE job_id < 2990");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == std::stoll(count(database, "lease_claims", "job_id >= 2990")));
  CHECK(outcome.rows > 0);
}

TEST_CASE("what was rescued can be promoted and claimed again",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 8);
  claim(database, "mail", 8, Receipt::compact);
  age(database);
  leader.run(rescue_stale_heartbeats);
  database.sql("UPDATE awa.deferred_jobs SET run_at = now()");

  CHECK(leader.run(promote_scheduled).rows == 8);
  claim(database, "mail", 8, Receipt::compact);  // moves the cursor past the spent rows
  CHECK(database.value(
            "SELECT count(*) FROM awa.claim_ready_runtime('mail', 8, 0, 0) WHERE attempt = 2 "
            "AND run_lease = 2") == "8");
}
