-- queue_stats/lanes: what waits in each queue, as its lanes have it: numbers between the two ends of a lane, and for
-- how many seconds the oldest of the jobs at their heads has been due. A page, by the name of the queue.
-- A job that is entombed is no head, unless a thousand before it are, too; and one without a time has no lag. Tables
-- of receipts are never read: a prune would wait.
-- $1 text: the queue behind which the page begins, or NULL
-- $2 integer: the most queues
WITH RECURSIVE page AS (
    (SELECT h.queue, 1 AS number FROM :"schema".queue_enqueue_heads h
     WHERE h.queue >= COALESCE($1::text, '') AND h.queue IS DISTINCT FROM $1::text AND length(h.queue) <= 200
     ORDER BY h.queue LIMIT 1)
    UNION ALL
    SELECT n.queue, p.number + 1 FROM page p
    CROSS JOIN LATERAL (SELECT h.queue FROM :"schema".queue_enqueue_heads h
                        WHERE h.queue > p.queue AND length(h.queue) <= 200 ORDER BY h.queue LIMIT 1) n
    WHERE p.number < $2::integer
), lane AS MATERIALIZED (
    SELECT e.queue, e.priority, e.enqueue_shard, :"schema".sequence_next_value(e.seq_name) AS next,
           :"schema".sequence_next_value(c.seq_name) AS next_claim
    FROM page p
    JOIN :"schema".queue_enqueue_heads e ON e.queue = p.queue
    JOIN :"schema".queue_claim_heads c
        ON c.queue = e.queue AND c.priority = e.priority AND c.enqueue_shard = e.enqueue_shard
    WHERE e.seq_name IS NOT NULL AND c.seq_name IS NOT NULL
)
SELECT p.queue, COALESCE(sum(GREATEST(0, l.next - l.next_claim)), 0)::bigint AS available,
       extract(epoch FROM clock_timestamp() - min(head.run_at) FILTER (WHERE isfinite(head.run_at)))::float8 AS lag
FROM page p
LEFT JOIN lane l ON l.queue = p.queue
LEFT JOIN LATERAL (
    SELECT f.run_at
    FROM (SELECT r.*, row_number() OVER (ORDER BY r.lane_seq) AS place
          FROM (SELECT r.* FROM :"schema".ready_entries r
                WHERE r.queue = l.queue AND r.priority = l.priority AND r.enqueue_shard = l.enqueue_shard
                  AND r.lane_seq >= l.next_claim AND l.next > l.next_claim
                ORDER BY r.lane_seq LIMIT 1000) r) f
    WHERE f.place = 1000
       OR NOT EXISTS (SELECT FROM :"schema".ready_tombstones t
                      WHERE t.ready_slot = f.ready_slot AND t.ready_generation = f.ready_generation
                        AND t.queue = f.queue AND t.priority = f.priority
                        AND t.enqueue_shard = f.enqueue_shard AND t.lane_seq = f.lane_seq OFFSET 0)
    ORDER BY f.lane_seq LIMIT 1) head ON true
GROUP BY p.queue
ORDER BY p.queue
