-- rings/queue_carry: moves failed jobs that are still to be kept from a sealed slot into the current one.
-- $1 integer: the sealed slot
-- $2 interval: how long failed jobs are kept
-- $3 integer: the most jobs to move
WITH ring AS MATERIALIZED (
    SELECT s.slot, s.generation FROM :"schema".queue_ring_state r
    JOIN :"schema".queue_ring_slots s ON s.slot = r.current_slot WHERE r.current_slot <> $1::integer
), chosen AS MATERIALIZED (
    SELECT d.ready_slot, d.queue, d.priority, d.enqueue_shard, d.lane_seq FROM :"schema".:"done_entries_k" d
    WHERE d.state = 'failed' AND d.finalized_at >= now() - $2::interval AND EXISTS (SELECT FROM ring)
    ORDER BY d.queue, d.priority, d.enqueue_shard, d.lane_seq LIMIT $3::integer
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM :"schema".:"done_entries_k" d USING chosen c
    WHERE d.ready_slot = c.ready_slot AND d.queue = c.queue AND d.priority = c.priority
      AND d.enqueue_shard = c.enqueue_shard AND d.lane_seq = c.lane_seq
    RETURNING d.*
), carried AS (
    INSERT INTO :"schema".done_entries (ready_slot, ready_generation, job_id, kind, queue, args, state, priority,
        attempt, run_lease, max_attempts, lane_seq, enqueue_shard, run_at, attempted_at, finalized_at,
        created_at, unique_key, unique_states, payload)
    SELECT r.slot, r.generation, g.job_id, g.kind, g.queue, COALESCE(g.args, e.args, '{}'), g.state, g.priority,
           g.attempt, g.run_lease, COALESCE(g.max_attempts, e.max_attempts, 25), g.lane_seq, g.enqueue_shard,
           COALESCE(g.run_at, e.run_at, g.finalized_at), COALESCE(g.attempted_at, e.attempted_at),
           g.finalized_at, COALESCE(g.created_at, e.created_at, g.finalized_at),
           COALESCE(g.unique_key, e.unique_key), COALESCE(g.unique_states, e.unique_states),
           COALESCE(g.payload, e.payload, '{}')
    FROM gone g CROSS JOIN ring r
    LEFT JOIN :"schema".:"ready_entries_k" e ON e.ready_generation = g.ready_generation AND e.queue = g.queue
        AND e.priority = g.priority AND e.enqueue_shard = g.enqueue_shard AND e.lane_seq = g.lane_seq
        AND e.job_id = g.job_id
    ORDER BY g.queue, g.priority, g.enqueue_shard, g.lane_seq
), delta AS (
    INSERT INTO :"schema".queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority,
        enqueue_shard, counter_bucket, terminal_delta)
    SELECT p.slot, p.generation, p.queue, p.priority, p.enqueue_shard, p.bucket, sum(p.change)
    FROM (SELECT g.ready_slot AS slot, g.ready_generation AS generation, g.queue, g.priority, g.enqueue_shard,
                 ((g.job_id % 256 + 256) % 256)::smallint AS bucket, -1 AS change FROM gone g
          UNION ALL
          SELECT r.slot, r.generation, g.queue, g.priority, g.enqueue_shard,
                 ((g.job_id % 256 + 256) % 256)::smallint, 1 FROM gone g CROSS JOIN ring r) p
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
)
SELECT count(*) AS carried FROM gone
