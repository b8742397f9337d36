-- queue/find_stale_batches: names open receipts in compact batches beyond a cursor that show no life.
-- $1 interval: staleness
-- $2 timestamp with time zone: claimed_at of the cursor
-- $3 bigint: batch of the cursor; nothing of it may be left beyond its place
-- $4 bigint: place within the batch of the cursor
WITH old AS MATERIALIZED (
    SELECT b.claim_slot, b.batch_id, b.claimed_at, i.place, i.job_id, i.run_lease, i.receipt_id
    FROM (SELECT b.* FROM :"schema".lease_claim_batches b
          WHERE b.claimed_at < now() - $1::interval
            AND (b.claimed_at, b.batch_id) >= ($2::timestamptz, $3::bigint)
          ORDER BY b.claimed_at, b.batch_id LIMIT 1001) b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids)
        WITH ORDINALITY AS i(job_id, run_lease, receipt_id, place)
    WHERE (b.claimed_at, b.batch_id, i.place) > ($2::timestamptz, $3::bigint, $4::bigint)
    ORDER BY b.claimed_at, b.batch_id, i.place LIMIT 1000
), closed AS MATERIALIZED (
    SELECT u.receipt_id
    FROM (SELECT o.claim_slot, range_agg(int8range(o.receipt_id, o.receipt_id, '[]')) AS ids
          FROM old o GROUP BY o.claim_slot) s
    CROSS JOIN LATERAL (SELECT x.receipt_ids FROM :"schema".lease_claim_closure_batches x
                        WHERE x.claim_slot = s.claim_slot AND x.receipt_ranges && s.ids OFFSET 0) x
    CROSS JOIN LATERAL unnest(x.receipt_ids) AS u(receipt_id)
), stale AS MATERIALIZED (
    SELECT o.* FROM old o
    WHERE COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = o.job_id AND s.run_lease = o.run_lease), o.claimed_at)
          < now() - $1::interval
      AND o.receipt_id NOT IN (SELECT x.receipt_id FROM closed x)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = o.claim_slot
                      AND x.job_id = o.job_id AND x.run_lease = o.run_lease OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".leases l
                      WHERE l.job_id = o.job_id AND l.run_lease = o.run_lease OFFSET 0)
), last AS MATERIALIZED (
    SELECT o.* FROM old o ORDER BY o.claimed_at DESC, o.batch_id DESC, o.place DESC LIMIT 1
)
SELECT (SELECT count(*) = 1000 FROM old) AS has_more,
       (SELECT l.claimed_at::text FROM last l) AS cursor_at,
       (SELECT l.batch_id FROM last l) AS cursor_batch,
       (SELECT l.place FROM last l) AS cursor_place,
       array_agg(f.claim_slot::bigint ORDER BY f.claimed_at, f.batch_id, f.place) AS slots,
       array_agg(f.batch_id ORDER BY f.claimed_at, f.batch_id, f.place) AS batches,
       array_agg(f.job_id ORDER BY f.claimed_at, f.batch_id, f.place) AS jobs,
       array_agg(f.run_lease ORDER BY f.claimed_at, f.batch_id, f.place) AS run_leases
FROM stale f
