-- rings/queue_failed: the places of failed jobs in a sealed slot that are still to be kept, cut into steps. Jobs that are counted
-- in the same row follow each other, so that a step changes few counts.
-- $1 interval: how long failed jobs are kept, zero for not at all
-- $2 text[]: queues that differ
-- $3 bigint[]: how long each of them keeps its own, in microseconds
-- $4 integer: the most jobs
-- $5 integer: the most jobs of a step
SELECT array_agg(n.place) AS places, count(*) AS jobs
FROM (SELECT f.place, (row_number() OVER (ORDER BY f.bucket, f.queue, f.priority, f.enqueue_shard) - 1) / $5::integer AS step
      FROM (SELECT d.ctid AS place, d.queue, d.priority, d.enqueue_shard, (d.job_id % 256 + 256) % 256 AS bucket
            FROM :"schema".:"done_entries_k" d
            LEFT JOIN (SELECT o.queue, o.kept * interval '1 microsecond' AS kept
                       FROM unnest($2::text[], $3::bigint[]) AS o(queue, kept)) u ON u.queue = d.queue
            WHERE d.state = 'failed' AND COALESCE(u.kept, $1::interval) > interval '0'
              AND d.finalized_at >= now() - COALESCE(u.kept, $1::interval)
            LIMIT $4::integer) f) n
GROUP BY n.step ORDER BY n.step
