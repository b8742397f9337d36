-- rescue/defer: gives ended attempts their retryable successor, with back-off, progress and
-- one more error entry. The back-off function fails beyond attempt 42 and is at its cap from 17.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
-- $6 text: what the error entry says
WITH
\ir ../parts/attempt.sql
INSERT INTO :"schema".deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease,
    max_attempts, run_at, attempted_at, finalized_at, created_at, unique_key, unique_states, payload)
SELECT a.job_id, a.kind, a.queue, a.args, 'retryable', a.priority, a.own_attempt, a.own_run_lease,
       a.max_attempts,
       clock_timestamp() + awa.backoff_duration(LEAST(a.own_attempt, 17)::smallint, a.max_attempts),
       a.started_at, clock_timestamp(), a.created_at, a.unique_key, a.unique_states,
       a.kept || jsonb_build_object('errors', a.errors || jsonb_build_array(a.entry))
FROM attempt a
ORDER BY a.job_id
