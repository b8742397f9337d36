-- canonical/find_stale: names running jobs beyond a cursor that have lost their heartbeat, and where
-- the next look begins.
-- $1 interval: how old the heartbeat is at least
-- $2 timestamp with time zone: heartbeat of the last job that was looked at
-- $3 bigint: that job
-- $4 interval: how far back to look; NULL for all the way
WITH stale AS MATERIALIZED (
    SELECT j.id, j.heartbeat_at FROM awa.jobs_hot j
    WHERE j.state = 'running' AND j.heartbeat_at < now() - $1::interval
      AND j.heartbeat_at >= COALESCE(now() - $4::interval, '-infinity')
      AND (j.heartbeat_at, j.id) > ($2::timestamptz, $3::bigint)
    ORDER BY j.heartbeat_at, j.id LIMIT 1000
)
SELECT COALESCE(array_agg(s.id ORDER BY s.heartbeat_at, s.id), '{}') AS jobs,
       max(s.heartbeat_at)::text AS cursor_at,
       (SELECT l.id FROM stale l ORDER BY l.heartbeat_at DESC, l.id DESC LIMIT 1) AS cursor_job
FROM stale s
