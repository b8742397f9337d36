// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;

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

TEST_CASE(
    "more leases than a look names are all rescued, whatever they have overrun",
    "[branches][rescue_stale_heartbeats][rescue_expired_deadlines][rescue_expired_callbacks]") {
  const auto* branch = GENERATE(&rescue_stale_heartbeats, &branches::rescue_expired_deadlines,
                                &branches::rescue_expired_callbacks);
  CAPTURE(branch->name);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1200);
  claim(database, "mail", 1200);
  age(database);
  materialise(database);
  database.sql("UPDATE awa.leases SET deadline_at = now() - interval '1 min'");
  if (branch == &branches::rescue_expired_callbacks) park(database);

  CHECK(leader.run(*branch).rows == 1200);
  CHECK(count(database, "leases") == "0");
  CHECK(claims_minus_closures(database) == "0");
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

TEST_CASE("a lease without a start leaves its job without one",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, Receipt::row_local);
  age(database);
  materialise(database);
  database.sql("UPDATE awa.leases SET attempted_at = NULL");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(database.value("SELECT attempted_at FROM awa.deferred_jobs") == "NULL");
}

TEST_CASE("a lease whose worker holds its key is left, and no state is orphaned",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2);
  age(database);
  materialise(database);
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) SELECT job_id, run_lease, "
      "now() - interval '1 hour' FROM awa.leases");
  const auto worker = database.session();
  worker.sql("BEGIN");
  worker.sql("SELECT pg_advisory_xact_lock(hashtextextended('awa.receipt.complete:1:1', 0))");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(database.value("SELECT string_agg(job_id::text, ',') FROM awa.attempt_state") == "1");
  worker.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(count(database, "attempt_state") == "0");
}

TEST_CASE("a lease of a later attempt of the same job lives on",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  database.breaks("a lease belongs to a living attempt");
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, Receipt::row_local);
  age(database);
  materialise(database);
  database.sql(
      "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, "
      "queue, priority, run_lease, lane_seq, heartbeat_at) SELECT 1, 1, ready_slot, "
      "ready_generation, job_id, queue, priority, 2, lane_seq, now() FROM awa.leases");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(database.value("SELECT run_lease FROM awa.leases") == "2");
}

TEST_CASE("a compact receipt that an operator has closed by itself is not closed again",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  database.breaks("a compact claim is closed in the compact ledger");
  database.breaks("closures of a ready slot are as many as its closed claims");
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1);
  age(database);
  materialise(database);
  database.sql(
      "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome) VALUES "
      "(0, 1, 1, 'cancelled')");

  leader.run(rescue_stale_heartbeats);

  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("a lease's receipt is found also if it does not tell when the lease began",
          "[branches][rescue_stale_heartbeats]") {
  const std::string began = GENERATE("attempted_at - interval '1 s'", "NULL", "'-infinity'");
  CAPTURE(began);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2);
  age(database);
  materialise(database);
  database.sql("UPDATE awa.leases SET attempted_at = " + began + " WHERE job_id = 1");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 2);
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("to close a lease's receipt only batches of its own moment are read",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1);
  age(database);
  materialise(database);
  database.sql(
      "INSERT INTO awa.lease_claim_batches (claim_slot, ready_slot, ready_generation, queue, "
      "priority, claimed_count, job_ids, run_leases, receipt_ids, receipt_ranges, lane_seqs, "
      "attempts, max_attempts) SELECT 0, 0, 0, 'mail', 2, 1, ARRAY[n], ARRAY[1], ARRAY[n], "
      "int8multirange(int8range(n, n, '[]')), ARRAY[n], ARRAY[1], ARRAY[25] FROM "
      "generate_series(1001, 2000) n");

  const auto read = rows_read(database, leader, "lease_claim_batches",
                              [&] { leader.run(rescue_stale_heartbeats); });

  CHECK(count(database, "lease_claim_closure_batches", "outcome = 'rescue'") == "1");
  CHECK(read < 50);
}

}  // namespace lockkeeper::test
