-- rescue/finish: ends attempts for good: cancelled, because a newer job holds their unique key and
-- wins, or failed, because their job has no attempt left. Each becomes a narrow terminal row beside its
-- ready row, in the lane of that row.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
-- $6 text: what the first error entry says
-- $7 awa.job_state: cancelled or failed
WITH
\ir ../parts/attempt.sql
, done AS (
    INSERT INTO :"schema".done_entries (ready_slot, ready_generation, job_id, kind, queue, state, priority,
        attempt, run_lease, lane_seq, enqueue_shard, attempted_at, finalized_at, payload)
    SELECT a.ready_slot, a.ready_generation, a.job_id, a.kind, a.queue, $7::awa.job_state, a.priority,
           a.own_attempt, a.own_run_lease, a.lane_seq, a.enqueue_shard, a.started_at, clock_timestamp(),
           a.kept || jsonb_build_object('errors', a.errors
               || CASE WHEN $7::awa.job_state = 'cancelled' THEN jsonb_build_array(a.entry) ELSE '[]' END
               || jsonb_build_array(a.entry || jsonb_build_object('terminal', true, 'error',
                      CASE WHEN $7::awa.job_state = 'cancelled'
                          THEN 'rescued as duplicate: unique claim held by a newer job' ELSE $6::text END)))
    FROM attempt a
    ORDER BY a.ready_slot, a.ready_generation, a.queue, a.priority, a.enqueue_shard, a.lane_seq
)
INSERT INTO :"schema".queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority,
    enqueue_shard, counter_bucket, terminal_delta)
SELECT a.ready_slot, a.ready_generation, a.queue, a.priority, a.enqueue_shard,
       ((a.job_id % 256 + 256) % 256)::smallint, count(*)
FROM attempt a GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
