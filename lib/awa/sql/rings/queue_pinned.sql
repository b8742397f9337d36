-- rings/queue_pinned: what keeps one sealed slot of the queue ring: a reason and a sentence for people, then
-- the cause as a word, the queue, and since how many seconds. The first that is found: a lease, a lane that waits, an open
-- claim. A lane whose cursor stands in a gap before a job that was claimed or entombed is stuck; the sentence frees it.
-- $1 integer: slot
WITH waiting AS (
    SELECT h.queue, h.priority, h.enqueue_shard, h.seq_name, c.next, e.job_id, e.lane_seq, e.run_at,
           e.lane_seq > c.next AND (EXISTS (
               SELECT FROM :"schema".:"ready_claim_attempt_batches_k" b
               WHERE b.queue = h.queue AND b.priority = h.priority AND b.enqueue_shard = h.enqueue_shard
                 AND b.lane_ranges @> e.lane_seq) OR EXISTS (
               SELECT FROM :"schema".:"ready_tombstones_k" t
               WHERE t.queue = h.queue AND t.priority = h.priority AND t.enqueue_shard = h.enqueue_shard
                 AND t.lane_seq = e.lane_seq)) AS is_stuck
    FROM :"schema".queue_claim_heads h
    CROSS JOIN LATERAL (SELECT CASE WHEN h.seq_name IS NULL THEN 0
                                    ELSE :"schema".sequence_next_value(h.seq_name) END AS next) c
    CROSS JOIN LATERAL (
        SELECT e.job_id, e.lane_seq, e.run_at FROM :"schema".:"ready_entries_k" e
        WHERE e.queue = h.queue AND e.priority = h.priority AND e.enqueue_shard = h.enqueue_shard
          AND e.lane_seq >= c.next
        ORDER BY e.lane_seq LIMIT 1) e
), closed AS MATERIALIZED (
    SELECT COALESCE(range_agg(i.r), '{}') AS receipts
    FROM :"schema".lease_claim_closure_batches x CROSS JOIN LATERAL unnest(x.receipt_ranges) AS i(r)
    WHERE x.ready_slot = $1::integer
), oldest AS MATERIALIZED (
    SELECT lower(range_agg(i.r) - (SELECT d.receipts FROM closed d)) AS receipt
    FROM :"schema".lease_claim_batches b CROSS JOIN LATERAL unnest(b.receipt_ranges) AS i(r)
    WHERE b.ready_slot = $1::integer
), open AS (
    SELECT c.job_id, c.queue, c.claimed_at FROM :"schema".lease_claims c
    WHERE c.ready_slot = $1::integer AND NOT (SELECT d.receipts FROM closed d) @> c.receipt_id
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x
                      WHERE x.claim_slot = c.claim_slot AND x.job_id = c.job_id AND x.run_lease = c.run_lease)
    UNION ALL
    SELECT b.job_ids[array_position(b.receipt_ids, o.receipt)], b.queue, b.claimed_at
    FROM oldest o JOIN :"schema".lease_claim_batches b ON b.ready_slot = $1::integer AND b.receipt_ranges @> o.receipt
)
SELECT f.reason, format('slot %s: %s', $1::integer, f.sentence) AS sentence, f.cause, f.queue,
       CASE WHEN isfinite(f.since) THEN extract(epoch FROM now() - GREATEST(f.since, now() - interval '100 years'))::float8 END AS seconds
FROM (
    (SELECT 1 AS place, 'pinned_slot' AS reason,
            format('job %s of queue %s has run since %s', l.job_id, l.queue, l.attempted_at) AS sentence,
            'lease' AS cause, l.queue, l.attempted_at AS since
     FROM :"schema".leases l WHERE l.ready_slot = $1::integer ORDER BY l.attempted_at LIMIT 1)
    UNION ALL
    (SELECT 2, CASE WHEN w.is_stuck THEN 'stuck_lane' ELSE 'pinned_slot' END,
            format('job %s of queue %s, priority %s, shard %s has waited since %s', w.job_id, w.queue, w.priority,
                   w.enqueue_shard, w.run_at)
         || CASE WHEN w.is_stuck THEN format('; SELECT %I.set_sequence_next(%L, %s)', :'schema', w.seq_name, w.lane_seq)
                 WHEN EXISTS (SELECT FROM awa.queue_meta m WHERE m.queue = w.queue AND m.paused)
                 THEN '; its queue is paused' ELSE '' END,
            CASE WHEN w.is_stuck THEN 'stuck_lane' ELSE 'waiting' END, w.queue, w.run_at
     FROM waiting w ORDER BY w.run_at LIMIT 1)
    UNION ALL
    (SELECT 3, 'pinned_slot', format('the claim of job %s of queue %s has been open since %s', o.job_id, o.queue, o.claimed_at),
            'claim', o.queue, o.claimed_at
     FROM open o ORDER BY o.claimed_at LIMIT 1)
) f
ORDER BY f.place LIMIT 1
