-- What the sentences beside this file are written in: made in schema public, read with nothing of
-- Lockkeeper's. True on a database whose rings turn, too. Behind receipts.sql or leases.sql.

-- A ready row that a worker may still claim: no claim cursor has passed it, and no claim has had it,
-- of which the queue ring keeps a note for as long as the row, and the claim ring for less.
CREATE VIEW public.live_waiting AS
WITH head AS MATERIALIZED (
    SELECT queue, priority, enqueue_shard, awa.sequence_next_value(seq_name) AS next
    FROM awa.queue_claim_heads WHERE seq_name IS NOT NULL)
SELECT e.*
FROM awa.ready_entries e LEFT JOIN head h USING (queue, priority, enqueue_shard)
WHERE e.lane_seq >= coalesce(h.next, 0)
  AND NOT EXISTS (SELECT FROM public.live_receipt r WHERE r.job_id = e.job_id AND r.run_lease = e.run_lease + 1)
  AND NOT EXISTS (SELECT FROM awa.ready_claim_attempt_batches b
                  WHERE b.ready_slot = e.ready_slot AND b.ready_generation = e.ready_generation AND b.queue = e.queue
                    AND b.priority = e.priority AND b.enqueue_shard = e.enqueue_shard AND b.lane_ranges @> e.lane_seq)
  AND NOT EXISTS (SELECT FROM awa.ready_tombstones t
                  WHERE t.ready_slot = e.ready_slot AND t.ready_generation = e.ready_generation AND t.queue = e.queue
                    AND t.priority = e.priority AND t.enqueue_shard = e.enqueue_shard AND t.lane_seq = e.lane_seq);

-- Where each job of either plane stands, and whether its mask claims its key there.
CREATE VIEW public.live_place AS
SELECT p.*, coalesce(substr(p.unique_states, array_position(enum_range(NULL::awa.job_state), p.state), 1) = '1'
                     AND p.unique_key IS NOT NULL, false) AS claims_key
FROM (SELECT 'ready' AS place, job_id, 'available'::awa.job_state AS state, attempt, run_lease, unique_key,
             unique_states
      FROM public.live_waiting
      UNION ALL
      SELECT 'claimed', r.job_id, coalesce(l.state, 'running'), r.attempt, r.run_lease, e.unique_key, e.unique_states
      FROM public.live_receipt r
      LEFT JOIN LATERAL ( -- Moved to another priority, a job may have the same number in both lanes.
          SELECT e.unique_key, e.unique_states FROM awa.ready_entries e WHERE e.ready_slot = r.ready_slot AND e.ready_generation = r.ready_generation AND e.queue = r.queue
            AND e.enqueue_shard = r.enqueue_shard AND e.lane_seq = r.lane_seq AND e.job_id = r.job_id LIMIT 1) e ON true
      LEFT JOIN awa.leases l ON l.job_id = r.job_id AND l.run_lease = r.run_lease
      WHERE r.closures = 0
      UNION ALL SELECT 'deferred', job_id, state, attempt, run_lease, unique_key, unique_states FROM awa.deferred_jobs
      UNION ALL SELECT 'ended', job_id, state, attempt, run_lease, unique_key, unique_states FROM awa.terminal_jobs
      UNION ALL SELECT 'dead', job_id, state, attempt, run_lease, unique_key, unique_states FROM awa.dlq_entries
      UNION ALL SELECT 'hot', id, state, attempt, run_lease, unique_key, unique_states::text FROM awa.jobs_hot
      UNION ALL SELECT 'later', id, state, attempt, run_lease, unique_key, unique_states::text FROM awa.scheduled_jobs
     ) p;
