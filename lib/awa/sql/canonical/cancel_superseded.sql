-- canonical/cancel_superseded: cancels a due job whose unique key another job holds; the holder wins.
-- The transition row is locked first, if there is one.
-- $1 bigint: job
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), victim AS MATERIALIZED (
    SELECT s.*, c.job_id AS holder FROM awa.scheduled_jobs s
    CROSS JOIN LATERAL (SELECT c.job_id FROM awa.job_unique_claims c
                        WHERE c.unique_key = s.unique_key OFFSET 0) c
    WHERE s.id = $1::bigint AND c.job_id <> s.id AND s.run_at <= now() AND (SELECT count(*) FROM routing) >= 0
    FOR UPDATE OF s SKIP LOCKED
), gone AS (
    DELETE FROM awa.scheduled_jobs s WHERE s.id = ANY (ARRAY(SELECT v.id FROM victim v)) RETURNING s.*
), cancelled AS (
    INSERT INTO awa.jobs_hot (id, kind, queue, args, state, priority, attempt, max_attempts, run_at,
        attempted_at, finalized_at, created_at, errors, metadata, tags, unique_key, unique_states,
        run_lease, progress)
    SELECT g.id, g.kind, g.queue, g.args, 'cancelled', g.priority, g.attempt, g.max_attempts, g.run_at,
           g.attempted_at, now(), g.created_at,
           array_append(g.errors, jsonb_build_object('error',
               'superseded: unique claim held by job ' || v.holder, 'attempt', g.attempt, 'at', now())),
           g.metadata, g.tags, g.unique_key, g.unique_states, g.run_lease, g.progress
    FROM gone g CROSS JOIN victim v
)
SELECT v.id, v.holder FROM victim v
