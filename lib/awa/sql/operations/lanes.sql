-- operations/lanes: the next lanes of the queue storage, each with the numbers between which its jobs wait, and
-- with the slots of the queue ring that they are in, the oldest first.
-- $1 text: queue of the lane behind which to begin
-- $2 integer: its priority
-- $3 integer: its shard
-- $4 integer: the most lanes
WITH lane AS MATERIALIZED (
    SELECT c.queue, c.priority, c.enqueue_shard,
           CASE WHEN e.seq_name IS NULL THEN 0 ELSE :"schema".sequence_next_value(c.seq_name) END AS first,
           CASE WHEN e.seq_name IS NULL THEN 0 ELSE :"schema".sequence_next_value(e.seq_name) END AS next
    FROM (SELECT c.queue, c.priority, c.enqueue_shard, c.seq_name FROM :"schema".queue_claim_heads c
          WHERE (c.queue, c.priority, c.enqueue_shard) > ($1::text, $2::integer, $3::integer)
            AND c.seq_name IS NOT NULL
          ORDER BY c.queue, c.priority, c.enqueue_shard LIMIT $4::integer) c
    LEFT JOIN :"schema".queue_enqueue_heads e
        ON e.queue = c.queue AND e.priority = c.priority AND e.enqueue_shard = c.enqueue_shard
)
SELECT l.queue, l.priority, l.enqueue_shard, l.first, l.next, ARRAY(
    SELECT s.slot FROM :"schema".queue_ring_slots s
    WHERE l.first < l.next AND EXISTS (
        SELECT FROM :"schema".ready_entries r
        WHERE r.ready_slot = s.slot AND r.queue = l.queue AND r.priority = l.priority
          AND r.enqueue_shard = l.enqueue_shard AND r.lane_seq >= l.first AND r.lane_seq < l.next)
    ORDER BY s.generation, s.slot) AS slots
FROM lane l
ORDER BY l.queue, l.priority, l.enqueue_shard
