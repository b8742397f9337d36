-- rescue/bury: ends attempts as dead letters, because their jobs have no attempt left and their
-- queues want that. Returns how many, by kind and queue, the hundred largest groups; of all others one number, without
-- kind and queue.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
-- $6 text: what the error entry says
-- $7 text: the reason for the dead letter
WITH
\ir ../parts/attempt.sql
, dead AS (
    INSERT INTO :"schema".dlq_entries (job_id, kind, queue, args, state, priority, attempt, run_lease,
        max_attempts, run_at, attempted_at, finalized_at, created_at, unique_key, unique_states, payload,
        dlq_reason, dlq_at, original_run_lease)
    SELECT a.job_id, a.kind, a.queue, a.args, 'failed', a.priority, a.own_attempt, a.own_run_lease,
           a.max_attempts, a.run_at, a.started_at, clock_timestamp(), a.created_at, a.unique_key,
           a.unique_states,
           a.kept || jsonb_build_object('errors', a.errors || jsonb_build_array(a.entry || '{"terminal": true}')),
           $7::text, clock_timestamp(), a.own_run_lease
    FROM attempt a ORDER BY a.job_id
), ranked AS (
    SELECT a.kind, a.queue, count(*) AS jobs,
           row_number() OVER (ORDER BY count(*) DESC, a.kind, a.queue) <= 100 AS is_named
    FROM attempt a GROUP BY a.kind, a.queue
)
SELECT r.kind, r.queue, r.jobs FROM ranked r WHERE r.is_named
UNION ALL
SELECT NULL, NULL, sum(r.jobs)::bigint FROM ranked r WHERE NOT r.is_named HAVING count(*) > 0
