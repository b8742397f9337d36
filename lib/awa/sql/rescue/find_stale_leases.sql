-- rescue/find_stale_leases: names running leases beyond a cursor whose newest heartbeat is stale.
-- $1 interval: staleness
-- $2 timestamp with time zone: no part of the cursor, handed back as it came
-- $3 bigint: job of the cursor
-- $4 bigint: run_lease of the cursor
WITH found AS (
    SELECT l.lease_slot, l.job_id, l.run_lease
    FROM :"schema".leases l
    WHERE l.state = 'running'
      AND GREATEST(l.heartbeat_at, (
          SELECT s.heartbeat_at FROM :"schema".attempt_state s
          WHERE s.job_id = l.job_id AND s.run_lease = l.run_lease)) < now() - $1::interval
      AND (l.job_id, l.run_lease) > ($3::bigint, $4::bigint)
    ORDER BY l.job_id, l.run_lease LIMIT 1000
)
SELECT count(*) = 1000 AS has_more, $2::timestamptz::text AS cursor_at, max(f.job_id) AS cursor_job,
       (array_agg(f.run_lease ORDER BY f.job_id DESC, f.run_lease DESC))[1] AS cursor_run_lease,
       array_agg(f.lease_slot::bigint ORDER BY f.job_id, f.run_lease) AS slots,
       array_agg(0::bigint) AS batches,
       array_agg(f.job_id ORDER BY f.job_id, f.run_lease) AS jobs,
       array_agg(f.run_lease ORDER BY f.job_id, f.run_lease) AS run_leases
FROM found f
