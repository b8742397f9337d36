-- queue/defer_rescued: gives ended attempts their retryable successor, with back-off, progress and
-- one more error entry. The back-off function fails beyond attempt 42 and is at its cap from 17.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970
-- $6 text: what the error entry says
WITH attempt AS MATERIALIZED (
    SELECT r.*, a.run_lease AS own_run_lease, r.attempt + 1 AS own_attempt,
           '1970-01-01 00:00:00+00'::timestamptz + a.attempted_at * interval '1 microsecond' AS started_at
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS a(job_id, run_lease, slot, generation, attempted_at)
    JOIN :"schema".ready_entries r ON r.ready_slot = a.slot AND r.ready_generation = a.generation
                                  AND r.job_id = a.job_id AND r.run_lease + 1 = a.run_lease
), state AS (
    DELETE FROM :"schema".attempt_state s USING attempt a
    WHERE s.job_id = a.job_id AND s.run_lease = a.own_run_lease
    RETURNING s.job_id, s.progress
)
INSERT INTO :"schema".deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease,
    max_attempts, run_at, attempted_at, finalized_at, created_at, unique_key, unique_states, payload)
SELECT a.job_id, a.kind, a.queue, a.args, 'retryable', a.priority, a.own_attempt, a.own_run_lease,
       a.max_attempts,
       clock_timestamp() + awa.backoff_duration(LEAST(a.own_attempt, 17)::smallint, a.max_attempts),
       a.started_at, clock_timestamp(), a.created_at, a.unique_key, a.unique_states,
       CASE jsonb_typeof(a.payload) WHEN 'object' THEN a.payload ELSE '{}' END
       || CASE WHEN s.progress IS NULL THEN '{}' ELSE jsonb_build_object('progress', s.progress) END
       || jsonb_build_object('errors',
              CASE jsonb_typeof(a.payload -> 'errors') WHEN 'array' THEN a.payload -> 'errors' ELSE '[]' END
              || jsonb_build_array(jsonb_build_object('error', $6::text, 'attempt', a.own_attempt,
                     'at', to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))
FROM attempt a LEFT JOIN state s ON s.job_id = a.job_id
ORDER BY a.job_id
