// SPDX-License-Identifier: Apache-2.0
//
// Receipts stay when their attempts have ended, for as long as one long attempt pins the claim ring,
// and hide none behind them.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;

namespace {

// More than two windows.
constexpr int kMany = 2200;

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

}  // namespace lockkeeper::test
