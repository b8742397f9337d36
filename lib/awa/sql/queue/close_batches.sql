-- queue/close_batches: closes receipts of compact batches that are locked, still open and still stale.
-- is_last says whether the job has no attempt left; it is -1 for lack of a ready row, and then the
-- receipt is left alone. attempted_at is in microseconds since 1970, below zero for none.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: claim slots
-- $2 bigint[]: batches
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 text: heartbeat, the only thing that is looked at: these receipts have no deadline
-- $6 interval: how long ago that must be
WITH item AS MATERIALIZED (
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, b.claimed_at, i.*
    FROM (SELECT DISTINCT w.slot, w.batch_id FROM unnest($1::bigint[], $2::bigint[]) AS w(slot, batch_id)) p
    CROSS JOIN LATERAL (SELECT b.* FROM :"schema".lease_claim_batches b
                        WHERE b.claim_slot = p.slot AND b.batch_id = p.batch_id OFFSET 0) b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    WHERE ((b.batch_id, i.job_id, i.run_lease) IN (
        SELECT w.batch_id, w.job_id, w.run_lease
        FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS w(batch_id, job_id, run_lease))) IS TRUE
), closed AS MATERIALIZED (
    SELECT u.receipt_id
    FROM (SELECT i.claim_slot, range_agg(int8range(i.receipt_id, i.receipt_id, '[]')) AS ids
          FROM item i GROUP BY i.claim_slot) s
    CROSS JOIN LATERAL (SELECT x.receipt_ids FROM :"schema".lease_claim_closure_batches x
                        WHERE x.claim_slot = s.claim_slot AND x.receipt_ranges && s.ids OFFSET 0) x
    CROSS JOIN LATERAL unnest(x.receipt_ids) AS u(receipt_id)
), open AS MATERIALIZED (
    SELECT i.*, (
        SELECT max((r.attempt + 1 >= r.max_attempts)::integer) FROM :"schema".ready_entries r
        WHERE r.job_id = i.job_id AND r.run_lease + 1 = i.run_lease
          AND (r.ready_slot, r.ready_generation) IS NOT DISTINCT FROM (i.ready_slot, i.ready_generation)
        OFFSET 0) AS is_last
    FROM item i
    WHERE COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = i.job_id AND s.run_lease = i.run_lease), i.claimed_at)
          < now() - $6::interval AND $5::text = 'heartbeat'
      AND i.receipt_id NOT IN (SELECT c.receipt_id FROM closed c)
      AND NOT EXISTS (SELECT FROM :"schema".leases l
                      WHERE l.job_id = i.job_id AND l.run_lease = i.run_lease OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = i.claim_slot
                      AND x.job_id = i.job_id AND x.run_lease = i.run_lease OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".done_entries d
                      WHERE d.job_id = i.job_id AND d.run_lease = i.run_lease OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".deferred_jobs d
                      WHERE d.job_id = i.job_id AND d.run_lease = i.run_lease OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".dlq_entries d
                      WHERE d.job_id = i.job_id AND d.run_lease = i.run_lease OFFSET 0)
), closure AS (
    INSERT INTO :"schema".lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
        closed_count, receipt_ids, receipt_ranges)
    SELECT o.claim_slot, o.ready_slot, o.ready_generation, 'rescued', count(*),
           array_agg(o.receipt_id ORDER BY o.receipt_id), range_agg(int8range(o.receipt_id, o.receipt_id, '[]'))
    FROM open o WHERE o.is_last IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
)
SELECT array_agg(o.job_id), array_agg(o.run_lease), array_agg(o.ready_slot), array_agg(o.ready_generation),
       array_agg(CASE WHEN isfinite(o.claimed_at) THEN (extract(epoch FROM o.claimed_at) * 1e6)::bigint
                 ELSE -1 END) AS attempted_at,
       array_agg(COALESCE(o.is_last, -1)::bigint) AS is_last
FROM open o
