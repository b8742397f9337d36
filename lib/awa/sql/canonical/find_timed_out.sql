-- canonical/find_timed_out: names parked jobs beyond a cursor that have waited for their callback too
-- long, and where the next look begins.
-- $1 interval: how long ago that was at least
-- $2 timestamp with time zone: timeout of the last job that was looked at
-- $3 bigint: that job
-- $4 interval: how far back to look; NULL for all the way
WITH found AS MATERIALIZED (
    SELECT j.id, j.callback_timeout_at AS at FROM awa.jobs_hot j
    WHERE j.state = 'waiting_external' AND j.callback_timeout_at < now() - $1::interval
      AND j.callback_timeout_at >= COALESCE(now() - $4::interval, '-infinity')
      AND (j.callback_timeout_at, j.id) > ($2::timestamptz, $3::bigint)
    ORDER BY j.callback_timeout_at, j.id LIMIT 1000
)
SELECT COALESCE(array_agg(f.id ORDER BY f.at, f.id), '{}') AS jobs,
       max(f.at)::text AS cursor_at,
       (SELECT l.id FROM found l ORDER BY l.at DESC, l.id DESC LIMIT 1) AS cursor_job
FROM found f
