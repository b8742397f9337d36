-- diagnose/available: the next queues and priorities of canonical jobs that could be claimed, in their order, and of each the job
-- that is due longest, in the columns of diagnose/lanes, without a shard: how long it has waited in seconds, NULL if it does
-- not, and whether its queue is paused. Each is one step along the index; a job that has been due for ever does not count.
-- $1 text: queue after which to begin
-- $2 integer: its priority
-- $3 bigint: queues and priorities to look at
WITH RECURSIVE lane AS (
    (SELECT j.queue, j.priority, j.run_at, j.id FROM awa.jobs_hot j
     WHERE j.state = 'available' AND j.run_at > '-infinity' AND (j.queue, j.priority) > ($1::text, $2::integer)
     ORDER BY j.queue, j.priority, j.run_at, j.id LIMIT 1)
    UNION ALL
    SELECT n.queue, n.priority, n.run_at, n.id
    FROM lane l CROSS JOIN LATERAL (
        SELECT j.queue, j.priority, j.run_at, j.id FROM awa.jobs_hot j
        WHERE j.state = 'available' AND j.run_at > '-infinity' AND (j.queue, j.priority) > (l.queue, l.priority)
        ORDER BY j.queue, j.priority, j.run_at, j.id LIMIT 1) n
)
SELECT l.queue, l.priority, NULL::integer AS shard, l.id,
       CASE WHEN l.run_at <= now() THEN extract(epoch FROM now() - GREATEST(l.run_at, now() - interval '100 years'))::float8 END AS waiting,
       EXISTS (SELECT FROM awa.queue_meta m WHERE m.queue = l.queue AND m.paused) AS is_paused, NULL::text AS fault
FROM (SELECT queue, priority, run_at, id FROM lane LIMIT $3::bigint) l
