-- Of lanes and counts: a sentence, and the statement whose rows break it; separated by empty lines.

-- a lane's numbers are given once
SELECT queue, priority, enqueue_shard, lane_seq FROM awa.ready_entries GROUP BY 1, 2, 3, 4 HAVING count(*) > 1

-- a lane's next number is above all that it has given
SELECT e.queue, e.priority, e.enqueue_shard, max(e.lane_seq)
FROM awa.ready_entries e LEFT JOIN awa.queue_enqueue_heads h USING (queue, priority, enqueue_shard)
GROUP BY 1, 2, 3, h.seq_name
HAVING CASE WHEN h.seq_name IS NULL THEN true ELSE max(e.lane_seq) >= awa.sequence_next_value(h.seq_name) END

-- a ready row stands in one segment, that of its time
SELECT e.job_id
FROM awa.ready_entries e LEFT JOIN awa.ready_segments s
    ON s.ready_slot = e.ready_slot AND s.ready_generation = e.ready_generation AND s.queue = e.queue
    AND s.priority = e.priority AND s.enqueue_shard = e.enqueue_shard AND s.first_run_at = e.run_at
    AND e.lane_seq >= s.first_lane_seq AND e.lane_seq < s.next_lane_seq
GROUP BY e.ready_slot, e.ready_generation, e.queue, e.priority, e.enqueue_shard, e.lane_seq, e.job_id
HAVING count(s.first_lane_seq) <> 1

-- segments of a lane do not overlap
SELECT s.queue, s.priority, s.enqueue_shard, s.first_lane_seq
FROM (SELECT *, lag(next_lane_seq) OVER (PARTITION BY queue, priority, enqueue_shard ORDER BY first_lane_seq) AS before
      FROM awa.ready_segments) s
WHERE s.first_lane_seq < s.before

-- ended jobs are counted, each in its slot and bucket
SELECT c.ready_slot, c.queue, c.priority, c.enqueue_shard, c.bucket, sum(c.n)
FROM (SELECT ready_slot, queue, priority, enqueue_shard, counter_bucket AS bucket, live_terminal_count AS n
      FROM awa.queue_terminal_live_counts
      UNION ALL
      SELECT ready_slot, queue, priority, enqueue_shard, counter_bucket, terminal_delta
      FROM awa.queue_terminal_count_deltas
      UNION ALL
      SELECT ready_slot, queue, priority, enqueue_shard, (job_id % 256 + 256) % 256, -1 FROM awa.done_entries) c
GROUP BY 1, 2, 3, 4, 5 HAVING sum(c.n) <> 0

-- no generation counts more ended jobs than it has
-- What is folded has none any more: it may count less.
SELECT c.ready_slot, c.ready_generation, c.queue, c.priority, c.enqueue_shard, sum(c.n)
FROM (SELECT ready_slot, ready_generation, queue, priority, enqueue_shard, terminal_delta AS n
      FROM awa.queue_terminal_count_deltas
      UNION ALL
      SELECT ready_slot, ready_generation, queue, priority, enqueue_shard, -1 FROM awa.done_entries) c
GROUP BY 1, 2, 3, 4, 5 HAVING sum(c.n) > 0

-- a completion that is taken back was one
SELECT t.job_id, t.run_lease FROM awa.receipt_completion_tombstones t
WHERE NOT EXISTS (SELECT FROM awa.receipt_completion_batches b, unnest(b.job_ids, b.run_leases) i(job_id, run_lease)
                  WHERE b.ready_slot = t.ready_slot AND b.ready_generation = t.ready_generation
                    AND i.job_id = t.job_id AND i.run_lease = t.run_lease)
