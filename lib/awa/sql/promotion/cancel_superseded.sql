-- promotion/cancel_superseded: cancels due jobs whose unique key another job holds; the holder wins.
-- Each becomes a wide terminal row at the ring's present place, with a negative lane number.
-- The transition row is locked first, if there is one.
-- $1 awa.job_state: scheduled or retryable
-- $2 bigint[]: jobs
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), ring AS MATERIALIZED (
    SELECT r.current_slot, r.generation FROM :"schema".queue_ring_state r LIMIT 1
), victim AS MATERIALIZED (
    SELECT d.*, c.job_id AS holder
    FROM (SELECT d.* FROM :"schema".deferred_jobs d
          WHERE d.job_id = ANY ($2::bigint[]) AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF d SKIP LOCKED OFFSET 0) d
    CROSS JOIN LATERAL (SELECT c.job_id FROM awa.job_unique_claims c
                        WHERE c.unique_key = d.unique_key OFFSET 0) c
    WHERE d.state = $1::awa.job_state AND c.job_id <> d.job_id
), gone AS (
    DELETE FROM :"schema".deferred_jobs d WHERE d.job_id = ANY (ARRAY(SELECT v.job_id FROM victim v))
), done AS (
    INSERT INTO :"schema".done_entries (ready_slot, ready_generation, job_id, kind, queue, args, state,
        priority, attempt, run_lease, max_attempts, lane_seq, enqueue_shard, run_at, attempted_at,
        finalized_at, created_at, unique_key, unique_states, payload)
    SELECT r.current_slot, r.generation, v.job_id, v.kind, v.queue, v.args, 'cancelled', v.priority,
           v.attempt, v.run_lease, v.max_attempts, -v.job_id, 0, v.run_at, v.attempted_at,
           clock_timestamp(), v.created_at,
           CASE WHEN substr(v.unique_states, 7, 1) = '1' THEN NULL ELSE v.unique_key END,
           CASE WHEN substr(v.unique_states, 7, 1) = '1' THEN NULL ELSE v.unique_states END,
           jsonb_set(CASE jsonb_typeof(v.payload) WHEN 'object' THEN v.payload ELSE '{}' END, '{errors}',
               CASE jsonb_typeof(v.payload -> 'errors') WHEN 'array' THEN v.payload -> 'errors' ELSE '[]' END
               || jsonb_build_array(jsonb_build_object(
                   'error', 'superseded: unique claim held by job ' || v.holder, 'attempt', v.attempt,
                   'at', to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'terminal', true)))
    FROM victim v CROSS JOIN ring r
), delta AS (
    INSERT INTO :"schema".queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority,
        enqueue_shard, counter_bucket, terminal_delta)
    SELECT r.current_slot, r.generation, v.queue, v.priority, 0,
           ((v.job_id % 256 + 256) % 256)::smallint, count(*)
    FROM victim v CROSS JOIN ring r GROUP BY 1, 2, 3, 4, 6 ORDER BY 1, 2, 3, 4, 6
)
SELECT v.job_id, v.holder FROM victim v
