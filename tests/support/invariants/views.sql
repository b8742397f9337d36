-- What the sentences of invariants.sql are written in: made in schema public, read with nothing of
-- Lockkeeper's. True on a database whose rings turn, too.

-- Every claim of both kinds, with the number of its closures in both ledgers.
CREATE VIEW public.live_receipt AS
SELECT c.*, coalesce(x.n, 0) + coalesce(b.n, 0) AS closures, coalesce(x.n, 0) AS row_closures, x.closed_at AS ended_at
FROM (SELECT true AS is_row, claim_slot, job_id, run_lease, receipt_id, closed_at
      FROM awa.lease_claims
      UNION ALL
      SELECT false, claim_slot, i.job, i.lease, i.receipt, NULL
      FROM awa.lease_claim_batches, unnest(job_ids, run_leases, receipt_ids) i(job, lease, receipt)) c
LEFT JOIN (SELECT claim_slot, job_id, run_lease, count(*) AS n, max(closed_at) AS closed_at
           FROM awa.lease_claim_closures GROUP BY 1, 2, 3) x USING (claim_slot, job_id, run_lease)
LEFT JOIN (SELECT claim_slot, receipt AS receipt_id, count(*) AS n
           FROM awa.lease_claim_closure_batches, unnest(receipt_ids) receipt GROUP BY 1, 2) b
    USING (claim_slot, receipt_id);

-- A ready row that a worker may still claim: no claim cursor has passed it, and no claim has had it,
-- of which the queue ring keeps a note for as long as the row, and the claim ring for less.
CREATE VIEW public.live_waiting AS
SELECT e.job_id, e.run_lease, e.unique_key, e.unique_states
FROM awa.ready_entries e
LEFT JOIN awa.queue_claim_heads h USING (queue, priority, enqueue_shard)
WHERE e.lane_seq >= coalesce(awa.sequence_next_value(h.seq_name), 0)
  AND NOT EXISTS (SELECT FROM public.live_receipt r WHERE r.job_id = e.job_id AND r.run_lease = e.run_lease + 1)
  AND NOT EXISTS (SELECT FROM awa.ready_claim_attempt_batches b
                  WHERE b.ready_slot = e.ready_slot AND b.ready_generation = e.ready_generation
                    AND b.queue = e.queue AND b.priority = e.priority
                    AND b.enqueue_shard = e.enqueue_shard AND b.lane_ranges @> e.lane_seq)
  AND NOT EXISTS (SELECT FROM awa.ready_tombstones t
                  WHERE t.ready_slot = e.ready_slot AND t.ready_generation = e.ready_generation
                    AND t.queue = e.queue AND t.priority = e.priority
                    AND t.enqueue_shard = e.enqueue_shard AND t.lane_seq = e.lane_seq);

-- Where each job of queue storage stands; the bit is that of the state in a mask.
CREATE VIEW public.live_place AS
SELECT job_id, 'available' AS state, 2 AS bit, unique_key, unique_states FROM public.live_waiting
UNION ALL
SELECT job_id, 'running', 3, NULL, NULL FROM public.live_receipt WHERE closures = 0
UNION ALL
SELECT job_id, state::text, CASE state WHEN 'scheduled' THEN 1 ELSE 5 END, unique_key, unique_states
FROM awa.deferred_jobs
UNION ALL
SELECT job_id, state::text, 7, NULL, NULL FROM awa.terminal_jobs
UNION ALL
SELECT job_id, 'dead letter', 7, NULL, NULL FROM awa.dlq_entries;
