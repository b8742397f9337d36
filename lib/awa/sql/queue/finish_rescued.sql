-- queue/finish_rescued: ends attempts for good: cancelled, because a newer job holds their unique key and
-- wins, or failed, because their job has no attempt left. Each becomes a narrow terminal row beside its
-- ready row, in the lane of that row.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
-- $6 text: what the first error entry says
-- $7 awa.job_state: cancelled or failed
WITH attempt AS MATERIALIZED (
    SELECT r.*, a.run_lease AS own_run_lease, r.attempt + 1 AS own_attempt,
           (SELECT s.progress FROM :"schema".attempt_state s
            WHERE s.job_id = a.job_id AND s.run_lease = a.run_lease) AS progress,
           CASE WHEN a.attempted_at >= 0 THEN '1970-01-01 00:00:00+00'::timestamptz
               + a.attempted_at * interval '1 microsecond' END AS started_at,
           jsonb_build_object('error', $6::text, 'attempt', r.attempt + 1,
               'at', to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS entry
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
), done AS (
    INSERT INTO :"schema".done_entries (ready_slot, ready_generation, job_id, kind, queue, state, priority,
        attempt, run_lease, lane_seq, enqueue_shard, attempted_at, finalized_at, payload)
    SELECT a.ready_slot, a.ready_generation, a.job_id, a.kind, a.queue, $7::awa.job_state, a.priority,
           a.own_attempt, a.own_run_lease, a.lane_seq, a.enqueue_shard, a.started_at, clock_timestamp(),
           CASE jsonb_typeof(a.payload) WHEN 'object' THEN a.payload ELSE '{}' END
           || CASE WHEN a.progress IS NULL THEN '{}' ELSE jsonb_build_object('progress', a.progress) END
           || jsonb_build_object('errors',
                  CASE jsonb_typeof(a.payload -> 'errors') WHEN 'array' THEN a.payload -> 'errors' ELSE '[]' END
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
