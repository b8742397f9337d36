-- rescue/find_expired_leases: names running leases beyond a cursor that are past their deadline.
-- $1 interval: how long past it
-- $2 timestamp with time zone: deadline of the cursor
-- $3 bigint: job of the cursor
-- $4 bigint: run_lease of the cursor
WITH found AS MATERIALIZED (
    SELECT l.lease_slot, l.job_id, l.run_lease, l.deadline_at AS at
    FROM :"schema".leases l
    WHERE l.state = 'running' AND l.deadline_at < now() - $1::interval
      AND (l.deadline_at, l.job_id, l.run_lease) > ($2::timestamptz, $3::bigint, $4::bigint)
    ORDER BY l.deadline_at, l.job_id, l.run_lease LIMIT 1000
), last AS MATERIALIZED (
    SELECT f.* FROM found f ORDER BY f.at DESC, f.job_id DESC, f.run_lease DESC LIMIT 1
)
SELECT (SELECT count(*) = 1000 FROM found) AS has_more,
       (SELECT l.at::text FROM last l) AS cursor_at,
       (SELECT l.job_id FROM last l) AS cursor_job,
       (SELECT l.run_lease FROM last l) AS cursor_run_lease,
       array_agg(f.lease_slot::bigint ORDER BY f.at, f.job_id, f.run_lease) AS slots,
       array_agg(0::bigint) AS batches,
       array_agg(f.job_id ORDER BY f.at, f.job_id, f.run_lease) AS jobs,
       array_agg(f.run_lease ORDER BY f.at, f.job_id, f.run_lease) AS run_leases
FROM found f
