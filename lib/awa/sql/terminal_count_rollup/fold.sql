-- terminal_count_rollup/fold: adds the changes of the counts of one slot to its folded counts, which never fall below zero; says
-- how many changes there were.
WITH change AS MATERIALIZED (
    SELECT d.ready_slot, d.queue, d.priority, d.enqueue_shard, d.counter_bucket, count(*) AS changes,
           sum(d.terminal_delta)::bigint AS total
    FROM :"schema".:"queue_terminal_count_deltas_k" d
    GROUP BY d.ready_slot, d.queue, d.priority, d.enqueue_shard, d.counter_bucket
), added AS (
    UPDATE :"schema".queue_terminal_live_counts AS t
    SET live_terminal_count = GREATEST(0, t.live_terminal_count + c.total)
    FROM change c
    WHERE t.ready_slot = c.ready_slot AND t.queue = c.queue AND t.priority = c.priority
      AND t.enqueue_shard = c.enqueue_shard AND t.counter_bucket = c.counter_bucket AND c.total <> 0
    RETURNING t.ready_slot, t.queue, t.priority, t.enqueue_shard, t.counter_bucket
), begun AS (
    INSERT INTO :"schema".queue_terminal_live_counts AS t
        (ready_slot, queue, priority, enqueue_shard, counter_bucket, live_terminal_count)
    SELECT c.ready_slot, c.queue, c.priority, c.enqueue_shard, c.counter_bucket, c.total
    FROM change c
    WHERE c.total > 0
      AND (c.ready_slot, c.queue, c.priority, c.enqueue_shard, c.counter_bucket) NOT IN (
          SELECT a.ready_slot, a.queue, a.priority, a.enqueue_shard, a.counter_bucket FROM added a)
    ORDER BY c.ready_slot, c.queue, c.priority, c.enqueue_shard, c.counter_bucket
    ON CONFLICT (ready_slot, queue, priority, enqueue_shard, counter_bucket) DO UPDATE
    SET live_terminal_count = GREATEST(0, t.live_terminal_count + EXCLUDED.live_terminal_count)
)
SELECT COALESCE(sum(c.changes), 0)::bigint AS changes FROM change c
