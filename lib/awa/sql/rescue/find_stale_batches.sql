-- rescue/find_stale_batches: names open receipts in compact batches that are old enough, and which of them show
-- no life: those beyond a cursor, or only those that are asked for.
-- $1 interval: staleness
-- $2 timestamp with time zone: claimed_at of the cursor
-- $3 bigint: batch of the cursor; nothing of it may be left beyond its place
-- $4 bigint: place within the batch of the cursor
-- $5 bigint[]: claim slots of those that are asked for; NULL for those beyond the cursor
-- $6 bigint[]: their batches
-- $7 bigint[]: jobs
-- $8 bigint[]: run_leases
WITH receipt AS MATERIALIZED (
    (SELECT b.claim_slot, b.batch_id, b.claimed_at, i.place, i.job_id, i.run_lease, i.receipt_id
     FROM (SELECT b.* FROM :"schema".lease_claim_batches b
           WHERE b.claimed_at < now() - $1::interval AND $5::bigint[] IS NULL
             AND (b.claimed_at, b.batch_id) >= ($2::timestamptz, $3::bigint)
           ORDER BY b.claimed_at, b.batch_id LIMIT 1001) b
     CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids)
         WITH ORDINALITY AS i(job_id, run_lease, receipt_id, place)
     WHERE (b.claimed_at, b.batch_id, i.place) > ($2::timestamptz, $3::bigint, $4::bigint)
     ORDER BY b.claimed_at, b.batch_id, i.place LIMIT 1000)
    UNION ALL
    SELECT b.claim_slot, b.batch_id, b.claimed_at, i.place, w.job_id, w.run_lease, b.receipt_ids[i.place]
    FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) AS w(slot, batch_id, job_id, run_lease)
    CROSS JOIN LATERAL (SELECT b.* FROM :"schema".lease_claim_batches b
                        WHERE b.claim_slot = w.slot AND b.batch_id = w.batch_id OFFSET 0) b
    CROSS JOIN LATERAL (SELECT array_position(b.job_ids, w.job_id) AS place) i
    WHERE b.run_leases[i.place] = w.run_lease
),
\ir ../parts/closed.sql
, open AS MATERIALIZED (
    SELECT o.*, COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                          WHERE s.job_id = o.job_id AND s.run_lease = o.run_lease), o.claimed_at)
                < now() - $1::interval
            AND NOT EXISTS (SELECT FROM :"schema".leases l
                            WHERE l.job_id = o.job_id AND l.run_lease = o.run_lease OFFSET 0) AS is_stale
    FROM receipt o
    WHERE o.receipt_id NOT IN (SELECT x.receipt_id FROM closed x)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = o.claim_slot
                      AND x.job_id = o.job_id AND x.run_lease = o.run_lease OFFSET 0)
), last AS MATERIALIZED (
    SELECT o.* FROM receipt o ORDER BY o.claimed_at DESC, o.batch_id DESC, o.place DESC LIMIT 1
)
SELECT (SELECT count(*) = 1000 FROM receipt) AS has_more, (SELECT l.claimed_at::text FROM last l) AS cursor_at,
       (SELECT l.batch_id FROM last l) AS cursor_batch, (SELECT l.place FROM last l) AS cursor_place,
       array_agg(f.claim_slot::bigint ORDER BY f.claimed_at, f.batch_id, f.place) AS slots,
       array_agg(f.batch_id ORDER BY f.claimed_at, f.batch_id, f.place) AS batches,
       array_agg(f.job_id ORDER BY f.claimed_at, f.batch_id, f.place) AS jobs,
       array_agg(f.run_lease ORDER BY f.claimed_at, f.batch_id, f.place) AS run_leases,
       array_agg(f.is_stale::integer ORDER BY f.claimed_at, f.batch_id, f.place) AS is_candidate
FROM open f
