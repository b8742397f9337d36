-- canonical/cancel_stale: cancels a stale running job whose unique key a newer job holds; it wins. Its
-- worker is asked to stop. The transition row is locked first, if there is one.
-- $1 bigint: job
-- $2 interval: staleness
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), stale AS MATERIALIZED (
    SELECT j.id
    FROM (SELECT j.* FROM awa.jobs_hot j WHERE j.id = $1::bigint AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF j SKIP LOCKED OFFSET 0) j
    WHERE j.state = 'running' AND j.heartbeat_at < now() - $2::interval
), cancelled AS (
    UPDATE awa.jobs_hot j
    SET state = 'cancelled', finalized_at = now(), heartbeat_at = NULL, deadline_at = NULL,
        callback_id = NULL, callback_timeout_at = NULL, callback_filter = NULL,
        callback_on_complete = NULL, callback_on_fail = NULL, callback_transform = NULL,
        errors = array_append(j.errors, jsonb_build_object('error',
            'rescued as duplicate: heartbeat stale and unique claim held by a newer job',
            'attempt', j.attempt, 'at', now()))
    WHERE j.id = ANY (ARRAY(SELECT s.id FROM stale s))
    RETURNING j.id, j.run_lease
)
SELECT (SELECT count(*) FROM cancelled) AS jobs,
       (SELECT count(pg_notify('awa:cancel', jsonb_build_object('job_id', c.id, 'run_lease', c.run_lease)::text))
        FROM cancelled c WHERE NOT EXISTS (
            SELECT FROM routing s WHERE s.state NOT IN ('canonical', 'prepared'))) AS told
