// SPDX-License-Identifier: Apache-2.0
#include "support/worker.hpp"

#include <fmt/format.h>

namespace lockkeeper::test {
namespace {

// Receipts of both kinds that nothing has closed.
constexpr auto kOpenAttempts = R"(
CREATE TEMP VIEW open_attempts AS
SELECT * FROM (
  SELECT claim_slot, ready_slot, ready_generation, queue, priority, enqueue_shard, lane_seq, job_id,
         run_lease, attempt, max_attempts, receipt_id, claimed_at, false AS is_compact
  FROM lease_claims
  UNION ALL
  SELECT claim_slot, ready_slot, ready_generation, queue, priority, enqueue_shard, i.lane_seq,
         i.job_id, i.run_lease, i.attempt, i.max_attempts, i.receipt_id, claimed_at, true
  FROM lease_claim_batches, unnest(lane_seqs, job_ids, run_leases, attempts, max_attempts,
         receipt_ids) i(lane_seq, job_id, run_lease, attempt, max_attempts, receipt_id)) r
WHERE NOT EXISTS (SELECT FROM lease_claim_closures x WHERE x.claim_slot = r.claim_slot
                  AND x.job_id = r.job_id AND x.run_lease = r.run_lease)
  AND NOT EXISTS (SELECT FROM lease_claim_closure_batches x WHERE x.claim_slot = r.claim_slot
                  AND x.receipt_ranges @> r.receipt_id))";

constexpr auto kClaim = R"(
WITH claimed AS MATERIALIZED (SELECT * FROM claim_ready_runtime('{}', {}, {})),
lane AS (SELECT lane_priority, enqueue_shard, count(*) AS jobs, max(lane_seq) + 1 AS next
         FROM claimed GROUP BY 1, 2)
SELECT COALESCE(sum(l.jobs), 0), count(m) FROM lane l
JOIN queue_claim_heads h ON h.queue = '{}' AND h.priority = l.lane_priority
  AND h.enqueue_shard = l.enqueue_shard
CROSS JOIN LATERAL set_sequence_next(h.seq_name, l.next) m)";

constexpr auto kMaterialise = R"(
INSERT INTO leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, queue, state,
  priority, attempt, run_lease, max_attempts, lane_seq, enqueue_shard, heartbeat_at, attempted_at)
SELECT s.current_slot, s.generation, a.ready_slot, a.ready_generation, a.job_id, a.queue, 'running',
  a.priority, a.attempt, a.run_lease, a.max_attempts, a.lane_seq, a.enqueue_shard, now(), a.claimed_at
FROM open_attempts a, lease_ring_state s WHERE {})";

// Plain successes are compact, whatever the receipt.
constexpr auto kComplete = R"(
WITH over AS MATERIALIZED (SELECT * FROM open_attempts WHERE {}),
lease AS (DELETE FROM leases l USING over o WHERE l.job_id = o.job_id AND l.run_lease = o.run_lease),
done AS (
  INSERT INTO receipt_completion_batches (ready_slot, ready_generation, claim_slot, queue, priority,
    enqueue_shard, completed_count, job_ids, run_leases, lane_seqs, attempts, attempted_ats)
  SELECT ready_slot, ready_generation, claim_slot, queue, priority, enqueue_shard, count(*),
    array_agg(job_id), array_agg(run_lease), array_agg(lane_seq), array_agg(attempt),
    array_agg(claimed_at)
  FROM over GROUP BY 1, 2, 3, 4, 5, 6)
INSERT INTO lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
  closed_count, receipt_ids, receipt_ranges)
SELECT claim_slot, ready_slot, ready_generation, 'completed', count(*), array_agg(receipt_id),
  range_agg(int8range(receipt_id, receipt_id, '[]')) FROM over GROUP BY 1, 2, 3)";

// A narrow row and its count; the receipt is closed in its own ledger.
constexpr auto kEnd = R"(
WITH over AS MATERIALIZED (SELECT * FROM open_attempts WHERE {}),
lease AS (DELETE FROM leases l USING over o WHERE l.job_id = o.job_id AND l.run_lease = o.run_lease),
done AS (
  INSERT INTO done_entries (ready_slot, ready_generation, job_id, kind, queue, state, priority,
    attempt, run_lease, lane_seq, enqueue_shard, attempted_at, payload)
  SELECT ready_slot, ready_generation, job_id, 'kind', queue, '{}', priority, attempt, run_lease,
    lane_seq, enqueue_shard, claimed_at, '{{"errors": [{{"error": "why"}}]}}' FROM over),
counted AS (
  INSERT INTO queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority,
    enqueue_shard, counter_bucket, terminal_delta)
  SELECT ready_slot, ready_generation, queue, priority, enqueue_shard, job_id % 256, count(*)
  FROM over GROUP BY 1, 2, 3, 4, 5, 6),
fence AS (UPDATE lease_claims c SET closed_at = now() FROM over o WHERE NOT o.is_compact
          AND c.claim_slot = o.claim_slot AND c.job_id = o.job_id AND c.run_lease = o.run_lease),
row_local AS (INSERT INTO lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at)
              SELECT claim_slot, job_id, run_lease, '{}', now() FROM over WHERE NOT is_compact)
INSERT INTO lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
  closed_count, receipt_ids, receipt_ranges)
SELECT claim_slot, ready_slot, ready_generation, '{}', count(*), array_agg(receipt_id),
  range_agg(int8range(receipt_id, receipt_id, '[]')) FROM over WHERE is_compact GROUP BY 1, 2, 3)";

constexpr auto kEnded = R"(
SELECT COALESCE((SELECT sum(live_terminal_count) FROM queue_terminal_live_counts WHERE queue = '{0}'), 0)
  + COALESCE((SELECT sum(terminal_delta) FROM queue_terminal_count_deltas WHERE queue = '{0}'), 0)
  + COALESCE((SELECT sum(completed_count) FROM receipt_completion_batches WHERE queue = '{0}'), 0)
  - (SELECT count(*) FROM receipt_completion_tombstones WHERE queue = '{0}')
  + COALESCE((SELECT sum(pruned_completed_count + pruned_failed_count)
              FROM queue_terminal_rollups WHERE queue = '{0}'), 0))";

}  // namespace

Worker::Worker(const Database& database, const std::string& schema) : session_(database.session()) {
  session_.sql("SET ROLE awa_owner");  // whoever comes first owns the lane's sequences
  session_.sql("SET search_path = " + schema + ", awa");
  session_.sql(kOpenAttempts);
}

void Worker::enqueue(const std::string& queue, int jobs, const std::string& more) const {
  session_.sql(
      fmt::format("SELECT awa.insert_job_compat('kind', '{}', jsonb_build_object('n', n){}) "
                  "FROM generate_series(1, {}) n",
                  queue, more, jobs));
}

void Worker::leave_gap(const std::string& queue, int numbers) const {
  session_.sql(
      fmt::format("BEGIN; SELECT reserve_enqueue_seq('{}', 2::smallint, 0::smallint, {}); ROLLBACK",
                  queue, numbers));
}

int Worker::claim(const std::string& queue, int jobs, Receipt receipt) const {
  return claim(queue, jobs, receipt == Receipt::compact ? "0, 0" : "300, 0");
}

int Worker::claim_aged(const std::string& queue, int jobs) const {
  return claim(queue, jobs, "0, 0.001");
}

// One call serves one segment of one lane.
int Worker::claim(const std::string& queue, int jobs, const std::string& deadline_and_aging) const {
  int claimed = 0;
  while (claimed < jobs) {
    const auto came = std::stoi(
        session_.value(fmt::format(kClaim, queue, jobs - claimed, deadline_and_aging, queue)));
    if (came == 0) break;
    claimed += came;
  }
  return claimed;
}

void Worker::materialise(const std::string& where) const {
  session_.sql(fmt::format(kMaterialise, where));
}

void Worker::finish(const std::string& outcome, const std::string& where) const {
  session_.sql(outcome == "completed" ? fmt::format(kComplete, where)
                                      : fmt::format(kEnd, where, outcome, outcome, outcome));
}

void Worker::run(const std::string& queue, int jobs, const std::string& outcome) const {
  enqueue(queue, jobs);
  claim(queue, jobs);
  finish(outcome, "queue = '" + queue + "'");
}

std::string Worker::ended(const std::string& queue) const {
  return session_.value(fmt::format(kEnded, queue));
}

}  // namespace lockkeeper::test
