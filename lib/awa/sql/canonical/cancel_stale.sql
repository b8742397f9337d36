-- canonical/cancel_stale: cancels a stale running job whose unique key a newer job holds; it wins.
-- $1 bigint: job
-- $2 interval: staleness
WITH stale AS MATERIALIZED (
    SELECT j.id FROM awa.jobs_hot j
    WHERE j.id = $1::bigint AND j.state = 'running' AND j.heartbeat_at < now() - $2::interval
    FOR UPDATE OF j SKIP LOCKED
)
UPDATE awa.jobs_hot j
SET state = 'cancelled', finalized_at = now(), heartbeat_at = NULL, deadline_at = NULL,
    callback_id = NULL, callback_timeout_at = NULL, callback_filter = NULL,
    callback_on_complete = NULL, callback_on_fail = NULL, callback_transform = NULL,
    errors = array_append(j.errors, jsonb_build_object('error',
        'rescued as duplicate: heartbeat stale and unique claim held by a newer job',
        'attempt', j.attempt, 'at', now()))
FROM stale s WHERE j.id = s.id
