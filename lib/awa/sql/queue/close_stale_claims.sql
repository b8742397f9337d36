-- queue/close_stale_claims: closes row-local receipts that are locked, still open and still stale.
-- A receipt without its ready row is left alone. attempted_at is in microseconds since 1970.
-- $1 bigint[]: claim slots
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 interval: staleness
WITH claim AS MATERIALIZED (
    SELECT c.*, EXISTS (SELECT FROM :"schema".ready_entries r WHERE r.ready_slot = c.ready_slot
        AND r.ready_generation = c.ready_generation AND r.job_id = c.job_id
        AND r.run_lease + 1 = c.run_lease) AS has_ready
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(slot, batch_id, job_id, run_lease)
    JOIN :"schema".lease_claims c ON c.claim_slot = w.slot AND c.job_id = w.job_id AND c.run_lease = w.run_lease
    WHERE c.closed_at IS NULL
      AND COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = c.job_id AND s.run_lease = c.run_lease), c.claimed_at)
          < now() - $5::interval
      AND NOT EXISTS (SELECT FROM :"schema".leases l
                      WHERE l.job_id = c.job_id AND l.run_lease = c.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = c.claim_slot
                      AND x.job_id = c.job_id AND x.run_lease = c.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = c.claim_slot AND x.receipt_ranges @> c.receipt_id)
      AND NOT EXISTS (SELECT FROM :"schema".done_entries d WHERE d.ready_slot = c.ready_slot
                      AND d.job_id = c.job_id AND d.run_lease = c.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".deferred_jobs d
                      WHERE d.job_id = c.job_id AND d.run_lease = c.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".dlq_entries d
                      WHERE d.job_id = c.job_id AND d.run_lease = c.run_lease)
), closure AS (
    INSERT INTO :"schema".lease_claim_closures (claim_slot, job_id, run_lease, outcome)
    SELECT c.claim_slot, c.job_id, c.run_lease, 'rescued' FROM claim c WHERE c.has_ready ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING RETURNING claim_slot, job_id, run_lease, closed_at
), fence AS (
    UPDATE :"schema".lease_claims c SET closed_at = x.closed_at FROM closure x
    WHERE c.claim_slot = x.claim_slot AND c.job_id = x.job_id AND c.run_lease = x.run_lease
)
SELECT c.job_id, c.run_lease, c.ready_slot, c.ready_generation,
       (extract(epoch FROM c.claimed_at) * 1e6)::bigint AS attempted_at, c.has_ready FROM claim c
