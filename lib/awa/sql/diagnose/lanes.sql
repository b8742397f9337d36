-- diagnose/lanes: the next lanes in their order, and of each the first job at or past its cursor: how long it has waited in
-- seconds, NULL if it does not or has no time, whether its queue is paused, and what is wrong with the lane, as a word and the statement that
-- mends it. gap: the cursor stands in a gap before a job that was claimed or entombed long ago, and no claim gets past that; a
-- moment after a claim every lane looks so. beyond: the cursor stands past the number that the next job will get, and nobody will see it;
-- Awa's own function never moves a cursor back.
-- $1 text: queue after which to begin
-- $2 integer: its priority
-- $3 integer: its shard
-- $4 bigint: lanes to look at
SELECT h.queue, h.priority, h.enqueue_shard, e.job_id,
       CASE WHEN e.is_open AND isfinite(e.run_at) THEN extract(epoch FROM now() - GREATEST(e.run_at, now() - interval '100 years'))::float8 END AS waiting,
       EXISTS (SELECT FROM awa.queue_meta m WHERE m.queue = h.queue AND m.paused) AS is_paused,
       CASE WHEN h.next > h.coming THEN 'beyond' WHEN e.lane_seq > h.next AND e.is_spent THEN 'gap' END AS fault,
       CASE WHEN h.next > h.coming
            THEN format('SELECT setval(%L, %s, false)', format('%I.%I', :'schema', h.seq_name), COALESCE((
               SELECT min(r.lane_seq) FROM :"schema".ready_entries r
               WHERE r.queue = h.queue AND r.priority = h.priority AND r.enqueue_shard = h.enqueue_shard
                 AND NOT EXISTS (
                   SELECT FROM :"schema".ready_claim_attempt_batches b
                   WHERE b.ready_slot = r.ready_slot AND b.ready_generation = r.ready_generation
                     AND b.queue = h.queue AND b.priority = h.priority AND b.enqueue_shard = h.enqueue_shard
                     AND b.lane_ranges @> r.lane_seq)), h.coming))
            WHEN e.lane_seq > h.next AND e.is_spent
            THEN format('SELECT %I.set_sequence_next(%L, %s)', :'schema', h.seq_name, e.lane_seq) END AS repair
FROM (
    SELECT c.queue, c.priority, c.enqueue_shard, c.seq_name, c.next,
           (SELECT CASE WHEN n.seq_name IS NOT NULL THEN :"schema".sequence_next_value(n.seq_name) END
            FROM :"schema".queue_enqueue_heads n
            WHERE n.queue = c.queue AND n.priority = c.priority AND n.enqueue_shard = c.enqueue_shard) AS coming
    FROM (
        SELECT l.queue, l.priority, l.enqueue_shard, l.seq_name,
               CASE WHEN l.seq_name IS NULL THEN 0 ELSE :"schema".sequence_next_value(l.seq_name) END AS next
        FROM (
            SELECT s.queue, s.priority, s.enqueue_shard, s.seq_name FROM :"schema".queue_claim_heads s
            WHERE (s.queue, s.priority, s.enqueue_shard) > ($1::text, $2::integer, $3::integer)
            ORDER BY s.queue, s.priority, s.enqueue_shard LIMIT $4::bigint) l
        OFFSET 0) c
    OFFSET 0) h
LEFT JOIN LATERAL (
    SELECT f.job_id, f.lane_seq, f.run_at,
           COALESCE(a.claimed_at, t.tombstoned_at) < now() - interval '1 minute' AS is_spent,
           a.claimed_at IS NULL AND t.tombstoned_at IS NULL AND f.run_at <= now() AS is_open
    FROM (
        SELECT r.job_id, r.lane_seq, r.run_at, r.ready_slot, r.ready_generation FROM :"schema".ready_entries r
        WHERE r.queue = h.queue AND r.priority = h.priority AND r.enqueue_shard = h.enqueue_shard
          AND r.lane_seq >= h.next ORDER BY r.lane_seq LIMIT 1) f
    LEFT JOIN LATERAL (
        SELECT b.claimed_at FROM :"schema".ready_claim_attempt_batches b
        WHERE b.ready_slot = f.ready_slot AND b.ready_generation = f.ready_generation AND b.queue = h.queue
          AND b.priority = h.priority AND b.enqueue_shard = h.enqueue_shard AND b.next_lane_seq > f.lane_seq
          AND b.first_lane_seq <= f.lane_seq AND b.lane_ranges @> f.lane_seq LIMIT 1) a ON true
    LEFT JOIN LATERAL (
        SELECT t.tombstoned_at FROM :"schema".ready_tombstones t
        WHERE t.ready_slot = f.ready_slot AND t.ready_generation = f.ready_generation AND t.queue = h.queue
          AND t.priority = h.priority AND t.enqueue_shard = h.enqueue_shard AND t.lane_seq = f.lane_seq) t ON true) e ON true
ORDER BY h.queue, h.priority, h.enqueue_shard
