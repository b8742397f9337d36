-- canonical/rescue_attempts: makes jobs whose attempt is over retryable, or failed where attempts count
-- and none is left. One that was parked is due after its back-off, any other at once. The workers that
-- may still run them are asked to stop, where job ids are unmistakable: both planes number their jobs
-- from one. The transition row is locked first, if there is one.
-- $1 bigint[]: jobs
-- $2 text: heartbeat, deadline or callback_timeout: what is looked at
-- $3 interval: how long ago that must be
-- $4 text: what the error entry says
-- $5 boolean: whether attempts count
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), past AS MATERIALIZED (
    SELECT j.id, $5::boolean AND j.attempt >= j.max_attempts AS is_last
    FROM (SELECT j.* FROM awa.jobs_hot j
          WHERE j.id = ANY ($1::bigint[]) AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF j SKIP LOCKED OFFSET 0) j
    WHERE j.state = CASE $2::text WHEN 'callback_timeout' THEN 'waiting_external' ELSE 'running' END::awa.job_state
      AND CASE $2::text WHEN 'heartbeat' THEN j.heartbeat_at
                        WHEN 'deadline' THEN j.deadline_at
                        ELSE j.callback_timeout_at END < now() - $3::interval
), failed AS (
    UPDATE awa.jobs_hot j
    SET state = 'failed', finalized_at = now(), heartbeat_at = NULL, deadline_at = NULL,
        callback_id = NULL, callback_timeout_at = NULL, callback_filter = NULL,
        callback_on_complete = NULL, callback_on_fail = NULL, callback_transform = NULL,
        errors = array_append(j.errors,
            jsonb_build_object('error', $4::text, 'attempt', j.attempt, 'at', now()))
    WHERE j.id = ANY (ARRAY(SELECT o.id FROM past o WHERE o.is_last))
    RETURNING j.id, j.run_lease
), gone AS (
    DELETE FROM awa.jobs_hot j WHERE j.id = ANY (ARRAY(SELECT o.id FROM past o WHERE NOT o.is_last))
    RETURNING j.*
), rescued AS (
    INSERT INTO awa.scheduled_jobs (id, kind, queue, args, state, priority, attempt, max_attempts, run_at,
        attempted_at, finalized_at, created_at, errors, metadata, tags, unique_key, unique_states,
        run_lease, progress)
    SELECT g.id, g.kind, g.queue, g.args, 'retryable', g.priority, g.attempt, g.max_attempts,
           CASE $2::text WHEN 'callback_timeout'
               THEN now() + awa.backoff_duration(LEAST(g.attempt, 17)::smallint, g.max_attempts)
               ELSE g.run_at END,
           g.attempted_at, now(), g.created_at,
           array_append(g.errors, jsonb_build_object('error', $4::text, 'attempt', g.attempt, 'at', now())),
           g.metadata, g.tags, g.unique_key, g.unique_states, g.run_lease, g.progress
    FROM gone g ORDER BY g.id
    RETURNING id, run_lease
), ended AS (
    SELECT r.id, r.run_lease FROM rescued r UNION ALL SELECT f.id, f.run_lease FROM failed f
)
SELECT (SELECT count(*) FROM ended) AS jobs,
       (SELECT count(pg_notify('awa:cancel', jsonb_build_object('job_id', e.id, 'run_lease', e.run_lease)::text))
        FROM ended e WHERE $2::text <> 'callback_timeout' AND NOT EXISTS (
            SELECT FROM routing s WHERE s.state NOT IN ('canonical', 'prepared'))) AS told
