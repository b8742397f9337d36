-- queue/close_stale_batches: closes receipts of compact batches that are locked, still open and
-- still stale. A receipt without its ready row is left alone. attempted_at is in microseconds.
-- $1 bigint[]: claim slots
-- $2 bigint[]: batches
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 interval: staleness
WITH wanted AS MATERIALIZED (
    SELECT w.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
        AS w(slot, batch_id, job_id, run_lease)
), item AS MATERIALIZED (
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, b.claimed_at, i.*,
           EXISTS (SELECT FROM :"schema".ready_entries r WHERE r.ready_slot = b.ready_slot
               AND r.ready_generation = b.ready_generation AND r.job_id = i.job_id
               AND r.run_lease + 1 = i.run_lease) AS has_ready
    FROM (SELECT DISTINCT w.slot, w.batch_id FROM wanted w) p
    JOIN :"schema".lease_claim_batches b ON b.claim_slot = p.slot AND b.batch_id = p.batch_id
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    JOIN wanted w ON w.slot = b.claim_slot AND w.batch_id = b.batch_id
                 AND w.job_id = i.job_id AND w.run_lease = i.run_lease
    WHERE COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = i.job_id AND s.run_lease = i.run_lease), b.claimed_at)
          < now() - $5::interval
      AND NOT EXISTS (SELECT FROM :"schema".leases l
                      WHERE l.job_id = i.job_id AND l.run_lease = i.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = b.claim_slot AND x.receipt_ranges @> i.receipt_id)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = b.claim_slot
                      AND x.job_id = i.job_id AND x.run_lease = i.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".done_entries d WHERE d.ready_slot = b.ready_slot
                      AND d.job_id = i.job_id AND d.run_lease = i.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".deferred_jobs d
                      WHERE d.job_id = i.job_id AND d.run_lease = i.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".dlq_entries d
                      WHERE d.job_id = i.job_id AND d.run_lease = i.run_lease)
), closure AS (
    INSERT INTO :"schema".lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
        closed_count, receipt_ids, receipt_ranges)
    SELECT i.claim_slot, i.ready_slot, i.ready_generation, 'rescued', count(*),
           array_agg(i.receipt_id ORDER BY i.receipt_id), range_agg(int8range(i.receipt_id, i.receipt_id, '[]'))
    FROM item i WHERE i.has_ready GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
)
SELECT i.job_id, i.run_lease, i.ready_slot, i.ready_generation,
       (extract(epoch FROM i.claimed_at) * 1e6)::bigint AS attempted_at, i.has_ready FROM item i
