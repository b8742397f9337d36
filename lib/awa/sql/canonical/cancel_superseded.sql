-- canonical/cancel_superseded: cancels a due job whose unique key another job holds; the holder wins.
-- $1 bigint: job
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), victim AS MATERIALIZED (
    SELECT s.*, c.job_id AS holder FROM awa.scheduled_jobs s
    JOIN awa.job_unique_claims c ON c.unique_key = s.unique_key AND c.job_id <> s.id
    WHERE s.id = $1::bigint AND s.run_at <= now() AND EXISTS (SELECT FROM routing)
    FOR UPDATE OF s SKIP LOCKED
), gone AS (
    DELETE FROM awa.scheduled_jobs s USING victim v WHERE s.id = v.id RETURNING s.*, v.holder
), cancelled AS (
    INSERT INTO awa.jobs_hot (id, kind, queue, args, state, priority, attempt, max_attempts, run_at,
        attempted_at, finalized_at, created_at, errors, metadata, tags, unique_key, unique_states,
        run_lease, progress)
    SELECT v.id, v.kind, v.queue, v.args, 'cancelled', v.priority, v.attempt, v.max_attempts, v.run_at,
           v.attempted_at, now(), v.created_at,
           array_append(v.errors, jsonb_build_object('error',
               'superseded: unique claim held by job ' || v.holder, 'attempt', v.attempt, 'at', now())),
           v.metadata, v.tags, v.unique_key, v.unique_states, v.run_lease, v.progress
    FROM gone v
)
SELECT v.id, v.holder FROM victim v
