-- rescue/find_timed_out_leases: names parked leases beyond a cursor whose callback is overdue.
-- $1 interval: how long beyond its timeout
-- $2 timestamp with time zone: timeout of the cursor
-- $3 bigint: job of the cursor
-- $4 bigint: run_lease of the cursor
WITH found AS MATERIALIZED (
    SELECT l.lease_slot, l.job_id, l.run_lease, l.callback_timeout_at AS at
    FROM :"schema".leases l
    WHERE l.state = 'waiting_external' AND l.callback_timeout_at < now() - $1::interval
      AND (l.callback_timeout_at, l.job_id, l.run_lease) > ($2::timestamptz, $3::bigint, $4::bigint)
    ORDER BY l.callback_timeout_at, l.job_id, l.run_lease LIMIT 1000
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
