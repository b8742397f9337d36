-- rescue/find_expired_claims: names open row-local receipts that are past their deadline, and which of them no
-- lease owns: those beyond a cursor, or only those that are asked for. A heartbeat does not protect them.
-- $1 interval: how long past it
-- $2 timestamp with time zone: deadline of the cursor
-- $3 bigint: job of the cursor
-- $4 bigint: run_lease of the cursor
-- $5 bigint[]: claim slots of those that are asked for; NULL for those beyond the cursor
-- $6 bigint[]: not used
-- $7 bigint[]: jobs
-- $8 bigint[]: run_leases
WITH receipt AS MATERIALIZED (
    (SELECT c.claim_slot, c.receipt_id, c.job_id, c.run_lease, c.deadline_at AS at, c.closed_at
     FROM :"schema".lease_claims c
     WHERE c.deadline_at < now() - $1::interval AND $5::bigint[] IS NULL
       AND (c.deadline_at, c.job_id, c.run_lease) > ($2::timestamptz, $3::bigint, $4::bigint)
     ORDER BY c.deadline_at, c.job_id, c.run_lease LIMIT 1000)
    UNION ALL
    SELECT c.claim_slot, c.receipt_id, c.job_id, c.run_lease, c.deadline_at AS at, c.closed_at
    FROM unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) AS w(slot, b, job_id, run_lease)
    CROSS JOIN LATERAL (SELECT c.* FROM :"schema".lease_claims c WHERE c.claim_slot = w.slot
                        AND c.job_id = w.job_id AND c.run_lease = w.run_lease OFFSET 0) c
),
\ir ../parts/closed.sql
, open AS MATERIALIZED (
    SELECT o.*, o.at < now() - $1::interval
            AND NOT EXISTS (SELECT FROM :"schema".leases l
                            WHERE l.job_id = o.job_id AND l.run_lease = o.run_lease OFFSET 0) AS is_expired
    FROM receipt o
    WHERE o.closed_at IS NULL
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = o.claim_slot
                      AND x.job_id = o.job_id AND x.run_lease = o.run_lease OFFSET 0)
      AND o.receipt_id NOT IN (SELECT x.receipt_id FROM closed x)
), last AS MATERIALIZED (
    SELECT o.* FROM receipt o ORDER BY o.at DESC, o.job_id DESC, o.run_lease DESC LIMIT 1
)
SELECT (SELECT count(*) = 1000 FROM receipt) AS has_more,
       (SELECT l.at::text FROM last l) AS cursor_at,
       (SELECT l.job_id FROM last l) AS cursor_job,
       (SELECT l.run_lease FROM last l) AS cursor_run_lease,
       array_agg(f.claim_slot::bigint ORDER BY f.at, f.job_id, f.run_lease) AS slots,
       array_agg(0::bigint) AS batches,
       array_agg(f.job_id ORDER BY f.at, f.job_id, f.run_lease) AS jobs,
       array_agg(f.run_lease ORDER BY f.at, f.job_id, f.run_lease) AS run_leases,
       array_agg(f.is_expired::integer ORDER BY f.at, f.job_id, f.run_lease) AS is_candidate
FROM open f
