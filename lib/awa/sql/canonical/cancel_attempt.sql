-- canonical/cancel_attempt: cancels a job whose attempt is over and whose unique key a newer job holds; it
-- wins. The worker that may still run it is asked to stop, where job ids are unmistakable. The
-- transition row is locked first, if there is one.
-- $1 bigint: job
-- $2 text: heartbeat, deadline or callback_timeout: what is looked at
-- $3 interval: how long ago that must be
-- $4 text: what the error entry says
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), past AS MATERIALIZED (
    SELECT j.id
    FROM (SELECT j.* FROM awa.jobs_hot j WHERE j.id = $1::bigint AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF j SKIP LOCKED OFFSET 0) j
    WHERE j.state = CASE $2::text WHEN 'callback_timeout' THEN 'waiting_external' ELSE 'running' END::awa.job_state
      AND CASE $2::text WHEN 'heartbeat' THEN j.heartbeat_at
                        WHEN 'deadline' THEN j.deadline_at
                        ELSE j.callback_timeout_at END < now() - $3::interval
), cancelled AS (
    UPDATE awa.jobs_hot j
    SET state = 'cancelled', finalized_at = now(), heartbeat_at = NULL, deadline_at = NULL,
        callback_id = NULL, callback_timeout_at = NULL, callback_filter = NULL,
        callback_on_complete = NULL, callback_on_fail = NULL, callback_transform = NULL,
        errors = array_append(j.errors,
            jsonb_build_object('error', $4::text, 'attempt', j.attempt, 'at', now()))
    WHERE j.id = ANY (ARRAY(SELECT o.id FROM past o))
    RETURNING j.id, j.run_lease
)
SELECT (SELECT count(*) FROM cancelled) AS jobs,
       (SELECT count(pg_notify('awa:cancel', jsonb_build_object('job_id', c.id, 'run_lease', c.run_lease)::text))
        FROM cancelled c WHERE $2::text <> 'callback_timeout' AND NOT EXISTS (
            SELECT FROM routing s WHERE s.state NOT IN ('canonical', 'prepared'))) AS told
