-- The claims of queue storage whose claims leave leases only, for the views beside this file.

-- Every attempt that has a lease, and every one that has left it: what came of it stands somewhere.
-- Of this one it is not known how it was claimed.
CREATE VIEW public.live_receipt AS
SELECT false AS is_row, NULL::int AS claim_slot, NULL::bigint AS receipt_id, job_id, run_lease, ready_slot,
       ready_generation, queue, priority, attempt, max_attempts, lane_seq, enqueue_shard, attempted_at AS claimed_at,
       NULL::timestamptz AS closed_at, 0 AS closures, 0 AS row_closures, NULL::timestamptz AS ended_at,
       NULL::text AS outcome
FROM awa.leases
UNION ALL
SELECT false, NULL, NULL, job_id, run_lease, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL
FROM (SELECT job_id, run_lease FROM awa.done_entries WHERE run_lease > 0
      UNION SELECT job_id, run_lease FROM awa.deferred_jobs WHERE run_lease > 0
      UNION SELECT job_id, run_lease FROM awa.dlq_entries WHERE run_lease > 0
      UNION SELECT job_id, run_lease FROM awa.ready_entries WHERE run_lease > 0) left_behind;
