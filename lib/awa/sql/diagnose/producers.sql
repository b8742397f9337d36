-- diagnose/producers: transactions that have written jobs and have not ended, the oldest first: pid, name, state, and since
-- how many seconds. Jobs of one that outlasts a lap of the queue ring arrive in a slot that has been sealed long ago.
-- $1 text: schema of the queue-storage plane
-- $2 bigint: the most rows
SELECT a.pid, COALESCE(a.application_name, '') AS name, COALESCE(a.state, '') AS state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
  AND a.pid IN (
    SELECT l.pid FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'RowExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
      AND (n.nspname = $1::text AND c.relname IN ('ready_entries', 'deferred_jobs')
           OR n.nspname = 'awa' AND c.relname IN ('jobs_hot', 'scheduled_jobs')))
ORDER BY a.xact_start
LIMIT $2::bigint
