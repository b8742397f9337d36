-- queue/find_stale_batches: names open receipts in compact batches beyond a cursor that show no life.
-- $1 interval: staleness
-- $2 timestamp with time zone: claimed_at of the cursor
-- $3 bigint: batch of the cursor
-- $4 bigint: not used
WITH listed AS MATERIALIZED (
    SELECT b.*, sum(b.claimed_count) OVER (ORDER BY b.claimed_at, b.batch_id) - b.claimed_count AS before
    FROM (SELECT b.* FROM :"schema".lease_claim_batches b
          WHERE b.claimed_at < now() - $1::interval AND $4::bigint IS NOT NULL
            AND (b.claimed_at, b.batch_id) > ($2::timestamptz, $3::bigint)
          ORDER BY b.claimed_at, b.batch_id LIMIT 1000) b
), old AS MATERIALIZED (
    SELECT b.* FROM listed b WHERE b.before < 1000
), stale AS MATERIALIZED (
    SELECT b.claim_slot, b.batch_id, b.claimed_at, i.job_id, i.run_lease
    FROM old b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    WHERE COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = i.job_id AND s.run_lease = i.run_lease), b.claimed_at)
          < now() - $1::interval
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = b.claim_slot AND x.receipt_ranges @> i.receipt_id)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = b.claim_slot
                      AND x.job_id = i.job_id AND x.run_lease = i.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".leases l
                      WHERE l.job_id = i.job_id AND l.run_lease = i.run_lease)
)
SELECT (SELECT count(*) FROM listed) > (SELECT count(*) FROM old)
           OR (SELECT count(*) FROM listed) = 1000 AS has_more,
       (SELECT o.claimed_at::text FROM old o ORDER BY o.claimed_at DESC, o.batch_id DESC LIMIT 1) AS cursor_at,
       (SELECT o.batch_id FROM old o ORDER BY o.claimed_at DESC, o.batch_id DESC LIMIT 1) AS cursor_batch,
       0::bigint AS cursor_rest,
       array_agg(f.claim_slot::bigint ORDER BY f.claimed_at, f.batch_id, f.job_id) AS slots,
       array_agg(f.batch_id ORDER BY f.claimed_at, f.batch_id, f.job_id) AS batches,
       array_agg(f.job_id ORDER BY f.claimed_at, f.batch_id, f.job_id) AS jobs,
       array_agg(f.run_lease ORDER BY f.claimed_at, f.batch_id, f.job_id) AS run_leases
FROM stale f
