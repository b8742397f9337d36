-- queue/find_stale_claims: names open row-local receipts beyond a cursor that show no life.
-- $1 interval: staleness
-- $2 timestamp with time zone: claimed_at of the cursor
-- $3 bigint: job of the cursor
-- $4 bigint: run_lease of the cursor
WITH old AS MATERIALIZED (
    SELECT c.claim_slot, c.receipt_id, c.job_id, c.run_lease, c.ready_slot, c.claimed_at, c.closed_at,
           row_number() OVER (ORDER BY c.claimed_at, c.job_id, c.run_lease) AS place
    FROM (SELECT c.* FROM :"schema".lease_claims c
          WHERE c.claimed_at < now() - $1::interval
            AND (c.claimed_at, c.job_id, c.run_lease) > ($2::timestamptz, $3::bigint, $4::bigint)
          ORDER BY c.claimed_at, c.job_id, c.run_lease LIMIT 1000) c
), stale AS MATERIALIZED (
    SELECT o.* FROM old o
    WHERE o.closed_at IS NULL
      AND COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = o.job_id AND s.run_lease = o.run_lease), o.claimed_at)
          < now() - $1::interval
      AND NOT EXISTS (SELECT FROM :"schema".leases l
                      WHERE l.job_id = o.job_id AND l.run_lease = o.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = o.claim_slot
                      AND x.job_id = o.job_id AND x.run_lease = o.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = o.claim_slot AND x.receipt_ranges @> o.receipt_id)
)
SELECT (SELECT count(*) = 1000 FROM old) AS has_more,
       (SELECT o.claimed_at::text FROM old o ORDER BY o.place DESC LIMIT 1) AS cursor_at,
       (SELECT o.job_id FROM old o ORDER BY o.place DESC LIMIT 1) AS cursor_job,
       (SELECT o.run_lease FROM old o ORDER BY o.place DESC LIMIT 1) AS cursor_run_lease,
       array_agg(f.claim_slot::bigint ORDER BY f.place) AS slots, array_agg(0::bigint) AS batches,
       array_agg(f.job_id ORDER BY f.place) AS jobs, array_agg(f.run_lease ORDER BY f.place) AS run_leases
FROM stale f
