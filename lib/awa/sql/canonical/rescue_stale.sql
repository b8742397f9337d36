-- canonical/rescue_stale: makes running jobs that have lost their heartbeat retryable, due at once, and
-- asks the workers that may still run them to stop, where job ids are unmistakable: both planes
-- number their jobs from one. The transition row is locked first, if there is one.
-- $1 bigint[]: jobs
-- $2 interval: staleness
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), stale AS MATERIALIZED (
    SELECT j.id
    FROM (SELECT j.* FROM awa.jobs_hot j
          WHERE j.id = ANY ($1::bigint[]) AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF j SKIP LOCKED OFFSET 0) j
    WHERE j.state = 'running' AND j.heartbeat_at < now() - $2::interval
), gone AS (
    DELETE FROM awa.jobs_hot j WHERE j.id = ANY (ARRAY(SELECT s.id FROM stale s)) RETURNING j.*
), rescued AS (
    INSERT INTO awa.scheduled_jobs (id, kind, queue, args, state, priority, attempt, max_attempts, run_at,
        attempted_at, finalized_at, created_at, errors, metadata, tags, unique_key, unique_states,
        run_lease, progress)
    SELECT g.id, g.kind, g.queue, g.args, 'retryable', g.priority, g.attempt, g.max_attempts, g.run_at,
           g.attempted_at, now(), g.created_at,
           array_append(g.errors, jsonb_build_object('error', 'heartbeat stale: worker presumed dead',
               'attempt', g.attempt, 'at', now())),
           g.metadata, g.tags, g.unique_key, g.unique_states, g.run_lease, g.progress
    FROM gone g ORDER BY g.id
    RETURNING id, run_lease
)
SELECT (SELECT count(*) FROM rescued) AS jobs,
       (SELECT count(pg_notify('awa:cancel', jsonb_build_object('job_id', r.id, 'run_lease', r.run_lease)::text))
        FROM rescued r WHERE NOT EXISTS (
            SELECT FROM routing s WHERE s.state NOT IN ('canonical', 'prepared'))) AS told
