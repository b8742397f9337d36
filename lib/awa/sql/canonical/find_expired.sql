-- canonical/find_expired: names running jobs beyond a cursor that are past their deadline, and where
-- the next look begins.
-- $1 interval: how long ago that was at least
-- $2 timestamp with time zone: deadline of the last job that was looked at
-- $3 bigint: that job
-- $4 interval: how far back to look; NULL for all the way
WITH found AS MATERIALIZED (
    SELECT j.id, j.deadline_at AS at FROM awa.jobs_hot j
    WHERE j.state = 'running' AND j.deadline_at < now() - $1::interval
      AND j.deadline_at >= COALESCE(now() - $4::interval, '-infinity')
      AND (j.deadline_at, j.id) > ($2::timestamptz, $3::bigint)
    ORDER BY j.deadline_at, j.id LIMIT 1000
)
SELECT COALESCE(array_agg(f.id ORDER BY f.at, f.id), '{}') AS jobs,
       max(f.at)::text AS cursor_at,
       (SELECT l.id FROM found l ORDER BY l.at DESC, l.id DESC LIMIT 1) AS cursor_job
FROM found f
