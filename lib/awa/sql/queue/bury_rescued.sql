-- queue/bury_rescued: ends attempts as dead letters, because their jobs have no attempt left and their
-- queues want that. Returns how many, by kind and queue, the hundred largest.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
-- $6 text: what the error entry says
-- $7 text: the reason for the dead letter
WITH attempt AS MATERIALIZED (
    SELECT r.*, a.run_lease AS own_run_lease, r.attempt + 1 AS own_attempt,
           (SELECT s.progress FROM :"schema".attempt_state s
            WHERE s.job_id = a.job_id AND s.run_lease = a.run_lease) AS progress,
           CASE WHEN a.attempted_at >= 0 THEN '1970-01-01 00:00:00+00'::timestamptz
               + a.attempted_at * interval '1 microsecond' END AS started_at
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS a(job_id, run_lease, slot, generation, attempted_at)
    CROSS JOIN LATERAL (
        SELECT r.* FROM :"schema".ready_entries r WHERE r.job_id = a.job_id AND r.run_lease + 1 = a.run_lease
        AND (r.ready_slot, r.ready_generation) IS NOT DISTINCT FROM (a.slot, a.generation)
        ORDER BY EXISTS (
            SELECT FROM :"schema".ready_tombstones t WHERE t.ready_slot = r.ready_slot AND t.queue = r.queue
            AND t.priority = r.priority AND t.enqueue_shard = r.enqueue_shard AND t.lane_seq = r.lane_seq
            AND t.ready_generation = r.ready_generation)
        LIMIT 1) r
), gone AS (
    DELETE FROM :"schema".attempt_state s WHERE s.job_id = ANY ($1::bigint[])
        AND ((s.job_id, s.run_lease) IN (SELECT a.job_id, a.own_run_lease FROM attempt a)) IS TRUE
), dead AS (
    INSERT INTO :"schema".dlq_entries (job_id, kind, queue, args, state, priority, attempt, run_lease,
        max_attempts, run_at, attempted_at, finalized_at, created_at, unique_key, unique_states, payload,
        dlq_reason, dlq_at, original_run_lease)
    SELECT a.job_id, a.kind, a.queue, a.args, 'failed', a.priority, a.own_attempt, a.own_run_lease,
           a.max_attempts, a.run_at, a.started_at, clock_timestamp(), a.created_at, a.unique_key,
           a.unique_states,
           CASE jsonb_typeof(a.payload) WHEN 'object' THEN a.payload ELSE '{}' END
           || CASE WHEN a.progress IS NULL THEN '{}' ELSE jsonb_build_object('progress', a.progress) END
           || jsonb_build_object('errors',
                  CASE jsonb_typeof(a.payload -> 'errors') WHEN 'array' THEN a.payload -> 'errors' ELSE '[]' END
                  || jsonb_build_array(jsonb_build_object('error', $6::text, 'attempt', a.own_attempt,
                         'at', to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'terminal', true))),
           $7::text, clock_timestamp(), a.own_run_lease
    FROM attempt a ORDER BY a.job_id
)
SELECT a.kind, a.queue, count(*) AS jobs FROM attempt a
GROUP BY a.kind, a.queue ORDER BY jobs DESC, a.kind, a.queue LIMIT 100
