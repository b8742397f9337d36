-- queue/close_stale_leases: ends leases that are locked and still stale, and closes their receipts.
-- A lease without its ready row is left alone. attempted_at is in microseconds since 1970.
-- $1 bigint[]: lease slots
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 interval: staleness
WITH lease AS MATERIALIZED (
    SELECT l.*, EXISTS (SELECT FROM :"schema".ready_entries r WHERE r.ready_slot = l.ready_slot
        AND r.ready_generation = l.ready_generation AND r.job_id = l.job_id
        AND r.run_lease + 1 = l.run_lease) AS has_ready
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(slot, batch_id, job_id, run_lease)
    JOIN :"schema".leases l ON l.lease_slot = w.slot AND l.job_id = w.job_id AND l.run_lease = w.run_lease
    LEFT JOIN :"schema".attempt_state s ON s.job_id = l.job_id AND s.run_lease = l.run_lease
    WHERE l.state = 'running' AND GREATEST(l.heartbeat_at, s.heartbeat_at) < now() - $5::interval
), gone AS (
    DELETE FROM :"schema".leases l USING lease e WHERE e.has_ready AND l.lease_slot = e.lease_slot
        AND l.job_id = e.job_id AND l.run_lease = e.run_lease
), claim AS MATERIALIZED (
    SELECT c.claim_slot, c.job_id, c.run_lease FROM lease e
    JOIN :"schema".lease_claims c ON c.job_id = e.job_id AND c.run_lease = e.run_lease
    WHERE e.has_ready AND c.closed_at IS NULL
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = c.claim_slot AND x.receipt_ranges @> c.receipt_id)
), closure AS (
    INSERT INTO :"schema".lease_claim_closures (claim_slot, job_id, run_lease, outcome)
    SELECT c.claim_slot, c.job_id, c.run_lease, 'rescue' FROM claim c ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING RETURNING claim_slot, job_id, run_lease, closed_at
), fence AS (
    UPDATE :"schema".lease_claims c SET closed_at = x.closed_at FROM closure x
    WHERE c.claim_slot = x.claim_slot AND c.job_id = x.job_id AND c.run_lease = x.run_lease
), item AS MATERIALIZED (
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, i.receipt_id
    FROM (SELECT DISTINCT e.ready_slot, e.ready_generation FROM lease e WHERE e.has_ready) p
    JOIN :"schema".lease_claim_batches b USING (ready_slot, ready_generation)
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    JOIN lease e ON e.has_ready AND e.job_id = i.job_id AND e.run_lease = i.run_lease
    WHERE NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = b.claim_slot AND x.receipt_ranges @> i.receipt_id)
), compact AS (
    INSERT INTO :"schema".lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
        closed_count, receipt_ids, receipt_ranges)
    SELECT i.claim_slot, i.ready_slot, i.ready_generation, 'rescue', count(*),
           array_agg(i.receipt_id ORDER BY i.receipt_id), range_agg(int8range(i.receipt_id, i.receipt_id, '[]'))
    FROM item i GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
)
SELECT e.job_id, e.run_lease, e.ready_slot, e.ready_generation,
       (extract(epoch FROM e.attempted_at) * 1e6)::bigint AS attempted_at, e.has_ready FROM lease e
