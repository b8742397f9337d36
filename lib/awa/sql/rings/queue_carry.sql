-- rings/queue_carry: moves failed jobs from their places in a sealed slot into the current one.
-- Their rows are filled in from their ready rows, which stay behind. Those are found by the job and never
-- by the priority: an aged job has ended under a better one than its lane's. A row whose place in the
-- current slot is taken gets, as Awa gives to jobs without a ready row, the negative number of the job for its own
-- in the lane. Says how many were found and how many have moved.
-- Nobody has analysed these tables, so rows are found by their place and by the index on the job. IS TRUE keeps a question
-- one of a hash: made into a join of rows that are expected to be few, it would compare each with each.
-- $1 integer: the sealed slot
-- $2 tid[]: the places
WITH ring AS MATERIALIZED (
    SELECT s.slot, s.generation FROM :"schema".queue_ring_state r
    JOIN :"schema".queue_ring_slots s ON s.slot = r.current_slot WHERE r.current_slot <> $1::integer LIMIT 1
), chosen AS MATERIALIZED (
    SELECT d.ctid AS place, d.* FROM :"schema".:"done_entries_k" d
    WHERE d.ctid = ANY ($2::tid[]) AND d.state = 'failed'
    FOR UPDATE SKIP LOCKED
), carried AS (
    INSERT INTO :"schema".done_entries AS t (ready_slot, ready_generation, job_id, kind, queue, args, state,
        priority, attempt, run_lease, max_attempts, lane_seq, enqueue_shard, run_at, attempted_at, finalized_at,
        created_at, unique_key, unique_states, payload)
    SELECT r.slot, r.generation, c.job_id, c.kind, c.queue, COALESCE(c.args, e.args, '{}'), c.state, c.priority,
           c.attempt, c.run_lease, COALESCE(c.max_attempts, e.max_attempts, 25), CASE WHEN EXISTS (
               SELECT FROM :"schema".done_entries x WHERE x.ready_slot = r.slot AND x.queue = c.queue AND x.priority = c.priority
                 AND x.enqueue_shard = c.enqueue_shard AND x.lane_seq = c.lane_seq OFFSET 0) THEN -c.job_id ELSE c.lane_seq END,
           c.enqueue_shard, COALESCE(c.run_at, e.run_at, c.finalized_at), COALESCE(c.attempted_at, e.attempted_at),
           c.finalized_at, COALESCE(c.created_at, e.created_at, c.finalized_at),
           COALESCE(c.unique_key, e.unique_key), COALESCE(c.unique_states, e.unique_states),
           COALESCE(c.payload, e.payload, '{}')
    FROM chosen c CROSS JOIN ring r
    LEFT JOIN LATERAL (
        SELECT e.* FROM :"schema".:"ready_entries_k" e WHERE e.job_id = c.job_id OFFSET 0
    ) e ON e.ready_generation = c.ready_generation AND e.queue = c.queue AND e.enqueue_shard = c.enqueue_shard
       AND e.lane_seq = c.lane_seq
    ON CONFLICT DO NOTHING
    RETURNING t.ready_slot, t.ready_generation, t.queue, t.priority, t.enqueue_shard, t.job_id, t.run_lease,
              ((t.job_id % 256 + 256) % 256)::smallint AS bucket
), gone AS (
    DELETE FROM :"schema".:"done_entries_k" d
    WHERE d.ctid = ANY (ARRAY(SELECT c.place FROM chosen c WHERE ((c.queue, c.enqueue_shard, c.job_id, c.run_lease) IN (
        SELECT t.queue, t.enqueue_shard, t.job_id, t.run_lease FROM carried t)) IS TRUE))
    RETURNING d.ready_slot, d.ready_generation, d.queue, d.priority, d.enqueue_shard,
              ((d.job_id % 256 + 256) % 256)::smallint AS bucket
), delta AS (
    INSERT INTO :"schema".queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority,
        enqueue_shard, counter_bucket, terminal_delta)
    SELECT p.ready_slot, p.ready_generation, p.queue, p.priority, p.enqueue_shard, p.bucket, sum(p.change)
    FROM (SELECT g.*, -1 AS change FROM gone g
          UNION ALL
          SELECT t.ready_slot, t.ready_generation, t.queue, t.priority, t.enqueue_shard, t.bucket, 1
          FROM carried t) p
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
)
SELECT (SELECT count(*) FROM chosen) AS found, (SELECT count(*) FROM gone) AS carried
