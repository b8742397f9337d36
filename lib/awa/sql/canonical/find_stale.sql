-- canonical/find_stale: names running jobs beyond a cursor that have lost their heartbeat.
-- $1 interval: staleness
-- $2 bigint: the last job that was looked at
SELECT COALESCE(array_agg(f.id ORDER BY f.id), '{}') AS jobs
FROM (SELECT j.id FROM awa.jobs_hot j
      WHERE j.state = 'running' AND j.heartbeat_at < now() - $1::interval AND j.id > $2::bigint
      ORDER BY j.id LIMIT 1000) f
