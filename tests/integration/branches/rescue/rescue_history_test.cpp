// SPDX-License-Identifier: Apache-2.0
//
// Receipts stay when their attempts have ended, for as long as one long attempt pins the claim
// ring: they hide none behind them, and are not looked at again in each pass.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_expired_deadlines;
using branches::rescue_stale_heartbeats;

namespace {

// More than are looked at in each pass.
constexpr int kMany = 2200;

// So many claims, of which only the first has not ended; its worker beats.
void leave_behind(const Database& database, Receipt receipt) {
  enqueue(database, "mail", kMany);
  REQUIRE(claim(database, "mail", kMany, receipt) == kMany);
  age(database);
  complete(database.session(), "job_id <> 1");
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (1, 1, now())");
}

// As if there were a million of them. Afterwards the leader has looked at everything.
void look_slowly(Leader& leader, const Database& database, const branches::Branch& branch,
                 const std::string& length) {
  bool is_slow = true;
  leader.before_each([&](const std::string& statement) {
    if (!is_slow || statement.find("rescue/find_") == std::string::npos) return;
    is_slow = false;
    database.sql("SELECT pg_sleep(" + length + ")");
  });
  REQUIRE(leader.run(branch).rows == 0);
  REQUIRE_FALSE(is_slow);
  leader.before_each(nullptr);
}

// As a low rate leaves them: a batch for each claim.
void split_batches(const Database& database) {
  database.sql(
      "WITH whole AS (DELETE FROM awa.lease_claim_batches RETURNING *) INSERT INTO "
      "awa.lease_claim_batches (claim_slot, ready_slot, ready_generation, queue, priority, "
      "enqueue_shard, claimed_count, job_ids, run_leases, receipt_ids, receipt_ranges, lane_seqs, "
      "attempts, max_attempts, claimed_at) SELECT claim_slot, ready_slot, ready_generation, queue, "
      "priority, enqueue_shard, 1, ARRAY[job], ARRAY[lease], ARRAY[receipt], "
      "int8multirange(int8range(receipt, receipt, '[]')), ARRAY[seq], ARRAY[attempt], "
      "ARRAY[most], claimed_at + job * interval '1 us' FROM whole, unnest(job_ids, run_leases, "
      "receipt_ids, lane_seqs, attempts, max_attempts) i(job, lease, receipt, seq, attempt, most)");
}

}  // namespace

TEST_CASE("a thousand batches of one attempt that has ended do not hide those behind them",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", kMany);
  claim(database, "mail", kMany);
  age(database);
  split_batches(database);
  complete(database.session(), "job_id < " + std::to_string(kMany));

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(database.value("SELECT job_id FROM awa.deferred_jobs") == std::to_string(kMany));
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("what has ended is not looked at in each pass, what goes on and what is new is",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  leave_behind(database, receipt);
  if (receipt == Receipt::compact) split_batches(database);
  look_slowly(leader, database, rescue_stale_heartbeats, "0.5");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
  CHECK(leader.statements() == 3);  // the look, what was open, what is new
  database.sql("UPDATE awa.attempt_state SET heartbeat_at = now() - interval '1 hour'");
  enqueue(database, "new", 1);
  REQUIRE(claim(database, "new", 1, receipt) == 1);
  age(database);
  CHECK(leader.run(rescue_stale_heartbeats).rows == 2);
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("an attempt that ends after it was seen is not rescued",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  leave_behind(database, receipt);
  look_slowly(leader, database, rescue_stale_heartbeats, "0.5");
  database.sql("DELETE FROM awa.attempt_state");
  complete(database.session(), 1);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
  CHECK(leader.statements() == 3);
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("a claim that comes to light with an older time than those that were seen is found",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  leave_behind(database, receipt);
  look_slowly(leader, database, rescue_stale_heartbeats, "0.1");
  enqueue(database, "late", 1);
  REQUIRE(claim(database, "late", 1, receipt) == 1);
  for (const std::string table : {"lease_claims", "lease_claim_batches"}) {
    database.sql("UPDATE awa." + table +
                 " SET claimed_at = now() - interval '2 hours' WHERE queue = 'late'");
  }

  std::int64_t rescued = 0;
  const auto end = std::chrono::steady_clock::now() + 1min;
  while (rescued == 0 && std::chrono::steady_clock::now() < end) {
    rescued = leader.run(rescue_stale_heartbeats).rows;
  }
  CHECK(rescued == 1);
  CHECK(count(database, "deferred_jobs", "queue = 'late'") == "1");
}

TEST_CASE("a receipt past its deadline is looked at again for as long as a lease owns it",
          "[branches][rescue_expired_deadlines]") {
  const Database database;
  Leader leader(database);
  leave_behind(database, Receipt::row_local);
  database.sql("UPDATE awa.lease_claims SET deadline_at = now() - interval '1 min'");
  materialise(database);
  database.sql("DELETE FROM awa.leases WHERE job_id <> 1");
  look_slowly(leader, database, rescue_expired_deadlines, "0.5");

  CHECK(leader.run(rescue_expired_deadlines).rows == 0);
  CHECK(leader.statements() == 3);
  database.sql("DELETE FROM awa.leases");
  CHECK(leader.run(rescue_expired_deadlines).rows == 1);
  CHECK(claims_minus_closures(database) == "0");
}

}  // namespace lockkeeper::test
