-- promotion/take_due: locks the first due jobs of one state that are free, and their lanes as far as those
-- are, after the transition row. A lane that is held has no shard, a new one no head; a long name is cut off.
-- $1 awa.job_state: scheduled or retryable
-- $2 integer: the most jobs to take, a thousand at most
-- $3 text[]: queues of the lanes to leave out
-- $4 bigint[]: their priorities
-- $5 bigint[]: jobs to leave out
-- $6 bigint[]: only these jobs, without a look at any other; NULL for any
-- $7 integer: the shard of a queue to try first
-- $8 interval: how far back to look; NULL for all the way
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), due AS MATERIALIZED (
    SELECT f.job_id, f.queue, f.priority, f.run_at
    FROM (SELECT d.job_id, d.queue, d.priority, d.run_at
          FROM (SELECT d.job_id, d.queue, d.priority, d.run_at FROM :"schema".deferred_jobs d
                WHERE d.state = $1::awa.job_state AND d.run_at <= now()
                  AND d.run_at >= COALESCE(now() - $8::interval, '-infinity')
                  AND $6::bigint[] IS NULL AND (SELECT count(*) FROM routing) >= 0
                  AND d.queue NOT IN (SELECT m.queue FROM awa.queue_meta m WHERE m.paused)
                  AND (d.queue, d.priority) NOT IN (
                      SELECT o.queue, o.priority FROM unnest($3::text[], $4::bigint[]) AS o(queue, priority))
                  AND d.job_id NOT IN (SELECT o.job_id FROM unnest($5::bigint[]) AS o(job_id))
                ORDER BY d.run_at, d.queue, d.priority, d.job_id OFFSET 0) i
          CROSS JOIN LATERAL (SELECT d.* FROM :"schema".deferred_jobs d WHERE d.job_id = i.job_id
                              FOR UPDATE OF d SKIP LOCKED OFFSET 0) d
          WHERE d.state = $1::awa.job_state AND d.run_at <= now()
          ORDER BY i.run_at, i.queue, i.priority, i.job_id LIMIT 1000) f
    LIMIT $2::integer
), these AS MATERIALIZED (
    SELECT d.job_id, d.queue, d.priority, d.run_at
    FROM (SELECT d.* FROM :"schema".deferred_jobs d
          WHERE d.job_id = ANY ($6::bigint[]) AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF d SKIP LOCKED OFFSET 0) d
    WHERE d.state = $1::awa.job_state AND d.run_at <= now()
), lane AS MATERIALIZED (
    SELECT l.*, COALESCE(m.enqueue_shards, 1) AS shards,
           sum(LEAST(octet_length(l.queue), 20000)) OVER (ORDER BY l.queue, l.priority) AS bytes
    FROM (SELECT d.queue, d.priority, array_agg(d.job_id ORDER BY d.run_at, d.job_id) AS jobs
          FROM (SELECT u.* FROM due u UNION ALL SELECT t.* FROM these t) d
          GROUP BY d.queue, d.priority) l
    LEFT JOIN awa.queue_meta m ON m.queue = l.queue
)
SELECT left(l.queue, 5000) AS queue, l.priority, l.jobs, head.enqueue_shard,
       EXISTS (SELECT FROM :"schema".queue_enqueue_heads h WHERE h.queue = l.queue
               AND h.priority = l.priority AND h.enqueue_shard < l.shards AND h.seq_name IS NOT NULL) AS has_head,
       (SELECT count(*) FROM due) AS due_jobs, octet_length(l.queue) > 5000 AS is_too_long
FROM lane l
LEFT JOIN LATERAL (
    SELECT h.enqueue_shard
    FROM (SELECT h.enqueue_shard, h.seq_name FROM :"schema".queue_enqueue_heads h
          WHERE h.queue = l.queue AND h.priority = l.priority AND h.enqueue_shard < l.shards
            AND h.seq_name IS NOT NULL
          ORDER BY (h.enqueue_shard + $7::integer) % l.shards
          OFFSET 0) h
    WHERE pg_try_advisory_xact_lock(hashtextextended(
        format('%I.%I', :'schema', h.seq_name), 0))
    LIMIT 1) head ON true
WHERE l.bytes <= 24000
ORDER BY l.queue, l.priority
