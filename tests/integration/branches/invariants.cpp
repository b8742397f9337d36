// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/invariants.hpp"

#include "support/soundness.hpp"

namespace lockkeeper::test {
namespace {

constexpr auto kViews = R"(
-- Every claim of both kinds, with the number of its closures in both ledgers.
CREATE VIEW public.receipt AS
SELECT r.*, (SELECT count(*) FROM awa.lease_claim_closures x WHERE x.claim_slot = r.claim_slot
             AND x.job_id = r.job_id AND x.run_lease = r.run_lease)
          + (SELECT count(*) FROM awa.lease_claim_closure_batches x
             WHERE x.claim_slot = r.claim_slot AND r.receipt_id = ANY (x.receipt_ids)) AS closures
FROM (SELECT true AS is_row, claim_slot, ready_slot, ready_generation, job_id, run_lease, receipt_id,
             queue, priority, attempt, max_attempts, lane_seq, enqueue_shard, claimed_at
      FROM awa.lease_claims
      UNION ALL
      SELECT false, claim_slot, ready_slot, ready_generation, i.job, i.lease, i.receipt, queue, priority,
             i.attempt, i.most, i.seq, enqueue_shard, claimed_at
      FROM awa.lease_claim_batches,
           unnest(job_ids, run_leases, receipt_ids, attempts, max_attempts, lane_seqs)
               i(job, lease, receipt, attempt, most, seq)) r;

-- A ready row that a worker may still claim.
CREATE VIEW public.waiting AS
SELECT e.* FROM awa.ready_entries e
WHERE NOT EXISTS (SELECT FROM public.receipt r
                  WHERE r.job_id = e.job_id AND r.run_lease = e.run_lease + 1)
  AND NOT EXISTS (SELECT FROM awa.ready_tombstones t
                  WHERE t.ready_slot = e.ready_slot AND t.ready_generation = e.ready_generation
                    AND t.queue = e.queue AND t.priority = e.priority
                    AND t.enqueue_shard = e.enqueue_shard AND t.lane_seq = e.lane_seq);

-- Where each job of queue storage stands; the bit is that of the state in a mask.
CREATE VIEW public.place AS
SELECT w.job_id, 'available' AS state, 2 AS bit, w.attempt, w.run_lease, w.args, w.unique_key,
       w.unique_states FROM public.waiting w
UNION ALL
SELECT r.job_id, 'running', 3, r.attempt, r.run_lease, e.args, e.unique_key, e.unique_states
FROM public.receipt r LEFT JOIN LATERAL (
    SELECT e.* FROM awa.ready_entries e
    WHERE e.job_id = r.job_id AND e.run_lease + 1 = r.run_lease LIMIT 1) e ON true
WHERE r.closures = 0
UNION ALL
SELECT d.job_id, d.state::text, CASE d.state WHEN 'scheduled' THEN 1 ELSE 5 END, d.attempt, d.run_lease,
       d.args, d.unique_key, d.unique_states FROM awa.deferred_jobs d
UNION ALL
SELECT d.job_id, d.state::text, 7, d.attempt, d.run_lease, COALESCE(d.args, e.args), NULL, NULL
FROM awa.done_entries d LEFT JOIN LATERAL (
    SELECT e.* FROM awa.ready_entries e
    WHERE e.job_id = d.job_id AND e.run_lease + 1 = d.run_lease LIMIT 1) e ON true
UNION ALL
SELECT i.job, 'completed', 4, i.attempt, i.lease, e.args, e.unique_key, e.unique_states
FROM awa.receipt_completion_batches b, unnest(b.job_ids, b.run_leases, b.attempts) i(job, lease, attempt)
LEFT JOIN LATERAL (SELECT e.* FROM awa.ready_entries e
                   WHERE e.job_id = i.job AND e.run_lease + 1 = i.lease LIMIT 1) e ON true;
)";

// A statement for each sentence; its rows are what breaks it.
struct Sentence {
  const char* says;
  const char* broken_by;
};
constexpr Sentence kSentences[] = {
    {"an attempt is claimed once",
     "SELECT job_id, run_lease FROM public.receipt GROUP BY 1, 2 HAVING count(*) > 1"},
    {"an attempt ends once", "SELECT job_id, run_lease FROM public.receipt WHERE closures > 1"},
    {"closures of a claim slot are as many as its closed claims",
     "SELECT s.slot FROM (SELECT slot FROM awa.claim_ring_slots) s WHERE (SELECT count(*) FROM "
     "public.receipt r WHERE r.claim_slot = s.slot AND r.closures = 1) <> (SELECT count(*) FROM "
     "awa.lease_claim_closures x WHERE x.claim_slot = s.slot) + (SELECT "
     "coalesce(sum(closed_count), "
     "0) FROM awa.lease_claim_closure_batches x WHERE x.claim_slot = s.slot)"},
    {"closures of a ready slot are as many as its closed claims, as its prune counts them",
     "SELECT s.slot FROM (SELECT slot FROM awa.queue_ring_slots) s WHERE (SELECT count(*) FROM "
     "public.receipt r WHERE r.ready_slot = s.slot AND r.closures = 1) <> (SELECT count(*) FROM "
     "awa.lease_claim_closures x JOIN awa.lease_claims c USING (claim_slot, job_id, run_lease) "
     "WHERE "
     "c.ready_slot = s.slot) + (SELECT coalesce(sum(closed_count), 0) FROM "
     "awa.lease_claim_closure_batches x WHERE x.ready_slot = s.slot)"},
    {"a compact claim is closed in the compact ledger",
     "SELECT r.job_id FROM public.receipt r JOIN awa.lease_claim_closures x USING (claim_slot, "
     "job_id, run_lease) WHERE NOT r.is_row"},
    {"the fence of a row-local claim stands where its closure does",
     "SELECT c.job_id FROM awa.lease_claims c JOIN awa.lease_claim_closures x USING (claim_slot, "
     "job_id, run_lease) WHERE c.closed_at IS DISTINCT FROM x.closed_at"},
    {"a job is in one place",
     "SELECT job_id, string_agg(state, ' and ') FROM public.place GROUP BY 1 HAVING count(*) > 1"},
    {"state belongs to a living attempt",
     "SELECT s.job_id FROM awa.attempt_state s WHERE NOT EXISTS (SELECT FROM public.receipt r "
     "WHERE "
     "r.job_id = s.job_id AND r.run_lease = s.run_lease AND r.closures = 0)"},
    {"a lease belongs to a living attempt",
     "SELECT l.job_id FROM awa.leases l WHERE NOT EXISTS (SELECT FROM public.receipt r WHERE "
     "r.job_id = l.job_id AND r.run_lease = l.run_lease AND r.closures = 0)"},
    {"a key belongs to a job whose state claims it",
     "SELECT c.job_id FROM awa.job_unique_claims c WHERE c.unique_key LIKE 'q%' AND NOT EXISTS "
     "(SELECT "
     "FROM public.place p WHERE p.job_id = c.job_id AND p.unique_key = c.unique_key AND "
     "substr(p.unique_states, p.bit, 1) = '1')"},
    {"a job in a claiming state owns its key",
     "SELECT p.job_id, p.state FROM public.place p WHERE substr(p.unique_states, p.bit, 1) = '1' "
     "AND "
     "NOT EXISTS (SELECT FROM awa.job_unique_claims c WHERE c.unique_key = p.unique_key AND "
     "c.job_id "
     "= p.job_id)"},
    {"terminal rows are counted",
     "SELECT * FROM (SELECT ready_slot, queue, priority, enqueue_shard, (job_id % 256)::int AS "
     "bucket, "
     "count(*) AS n FROM awa.done_entries GROUP BY 1, 2, 3, 4, 5) d FULL JOIN (SELECT ready_slot, "
     "queue, priority, enqueue_shard, counter_bucket::int AS bucket, sum(terminal_delta) AS m FROM "
     "awa.queue_terminal_count_deltas GROUP BY 1, 2, 3, 4, 5) c USING (ready_slot, queue, "
     "priority, "
     "enqueue_shard, bucket) WHERE n IS DISTINCT FROM m"},
    {"a lane's numbers are given once",
     "SELECT queue, priority, enqueue_shard, lane_seq FROM awa.ready_entries GROUP BY 1, 2, 3, 4 "
     "HAVING "
     "count(*) > 1"},
    {"a ready row stands in one segment, that of its time",
     "SELECT e.job_id FROM awa.ready_entries e WHERE (SELECT count(*) FROM awa.ready_segments s "
     "WHERE "
     "s.ready_slot = e.ready_slot AND s.ready_generation = e.ready_generation AND s.queue = "
     "e.queue "
     "AND s.priority = e.priority AND s.enqueue_shard = e.enqueue_shard AND e.lane_seq >= "
     "s.first_lane_seq AND e.lane_seq < s.next_lane_seq AND s.first_run_at = e.run_at) <> 1"},
    {"attempt and run_lease are as many as the claims of the job",
     "SELECT p.job_id, p.run_lease, p.attempt FROM public.place p WHERE p.args IS NOT NULL AND "
     "(p.run_lease <> (SELECT count(*) FROM public.receipt r WHERE r.job_id = p.job_id) OR "
     "p.attempt "
     "<> p.run_lease + coalesce((p.args ->> 'older')::int, 0))"},
    {"a canonical job is in one table",
     "SELECT id FROM awa.jobs_hot JOIN awa.scheduled_jobs USING (id)"},
    {"a canonical key belongs to a job whose state claims it",
     "SELECT c.job_id FROM awa.job_unique_claims c WHERE c.unique_key LIKE 'c%' AND NOT EXISTS "
     "(SELECT "
     "FROM (SELECT id, state, unique_key, unique_states FROM awa.jobs_hot UNION ALL SELECT id, "
     "state, "
     "unique_key, unique_states FROM awa.scheduled_jobs) j WHERE j.id = c.job_id AND j.unique_key "
     "= "
     "c.unique_key AND awa.job_state_in_bitmask(j.unique_states, j.state))"},
};

}  // namespace

// To plan or to compile a view of so many children takes longer than to read it.
void install_views(const Database& database) {
  database.sql(kViews);
  database.sql("SET jit = off; SET plan_cache_mode = force_generic_plan");
  int number = 0;
  for (const auto& sentence : kSentences) {
    database.sql("PREPARE invariant_" + std::to_string(number++) + " AS " + sentence.broken_by);
  }
}

std::vector<std::string> broken_invariants(const Database& database) {
  std::vector<std::string> broken;
  int number = 0;
  for (const auto& sentence : kSentences) {
    const auto rows = database.sql("EXECUTE invariant_" + std::to_string(number++));
    if (!rows.empty()) broken.push_back(sentence.says + std::string(": ") + joined(rows.front()));
  }
  return broken;
}

}  // namespace lockkeeper::test
