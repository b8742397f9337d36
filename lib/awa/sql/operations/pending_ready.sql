-- operations/pending_ready: names those of the next jobs of a lane in one slot that a batch operation has still to move and
-- nobody has claimed. Says as well whether there may be more of them, and the last number looked at.
-- $1 uuid: operation
-- $2 text: queue
-- $3 integer: priority
-- $4 integer: shard
-- $5 bigint: the first number
-- $6 bigint: the number behind the last
-- $7 integer: the most jobs to look at
WITH claimed AS MATERIALIZED (
    SELECT :"schema".sequence_next_value(c.seq_name) AS next FROM :"schema".queue_claim_heads c
    WHERE c.queue = $2::text AND c.priority = $3::integer AND c.enqueue_shard = $4::integer
), seen AS MATERIALIZED (
    SELECT r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard, r.lane_seq, r.job_id
    FROM :"schema".:"ready_entries_k" r
    WHERE r.queue = $2::text AND r.priority = $3::integer
      AND r.enqueue_shard = $4::integer AND r.lane_seq >= $5::bigint AND r.lane_seq < $6::bigint
    ORDER BY r.lane_seq LIMIT $7::integer
), waiting AS (
    SELECT s.job_id, s.lane_seq
    FROM seen s
    WHERE EXISTS (SELECT FROM awa.batch_operation_items i
                  WHERE i.operation_id = $1::uuid AND i.job_id = s.job_id AND i.state = 'pending' OFFSET 0)
      AND s.lane_seq >= (SELECT c.next FROM claimed c)
      AND NOT EXISTS (SELECT FROM :"schema".:"ready_tombstones_k" t
          WHERE t.queue = s.queue AND t.priority = s.priority
            AND t.enqueue_shard = s.enqueue_shard AND t.lane_seq = s.lane_seq
            AND t.ready_generation = s.ready_generation OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".:"ready_claim_attempt_batches_k" b
          WHERE b.ready_generation = s.ready_generation AND b.queue = s.queue
            AND b.priority = s.priority AND b.enqueue_shard = s.enqueue_shard
            AND b.next_lane_seq > s.lane_seq AND b.lane_ranges @> s.lane_seq OFFSET 0)
)
SELECT (SELECT count(*) = $7::integer FROM seen) AS is_full, (SELECT max(s.lane_seq) FROM seen s) AS last,
       COALESCE(array_agg(w.job_id ORDER BY w.lane_seq), '{}') AS jobs,
       COALESCE(array_agg(w.lane_seq ORDER BY w.lane_seq), '{}') AS numbers
FROM waiting w
