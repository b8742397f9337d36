-- canonical/has_stale: whether a running job of the canonical plane has lost its heartbeat.
-- $1 interval: staleness
SELECT EXISTS (SELECT FROM awa.jobs_hot j
               WHERE j.state = 'running' AND j.heartbeat_at < now() - $1::interval) AS canonical
