-- diagnose/available: the canonical job that could be claimed for the longest time: its queue, priority and number, and how
-- many seconds. Each queue and priority is one step along the index; paused queues do not count, nor
-- does a job that has been due for ever.
-- $1 bigint: queues and priorities to look at
WITH RECURSIVE lane AS (
    (SELECT j.queue, j.priority, j.run_at, j.id FROM awa.jobs_hot j
     WHERE j.state = 'available' AND j.run_at > '-infinity' ORDER BY j.queue, j.priority, j.run_at, j.id LIMIT 1)
    UNION ALL
    SELECT n.queue, n.priority, n.run_at, n.id
    FROM lane l CROSS JOIN LATERAL (
        SELECT j.queue, j.priority, j.run_at, j.id FROM awa.jobs_hot j
        WHERE j.state = 'available' AND j.run_at > '-infinity' AND (j.queue, j.priority) > (l.queue, l.priority)
        ORDER BY j.queue, j.priority, j.run_at, j.id LIMIT 1) n
)
SELECT l.queue, l.priority, l.id, extract(epoch FROM now() - GREATEST(l.run_at, now() - interval '100 years'))::float8 AS seconds
FROM (SELECT queue, priority, run_at, id FROM lane LIMIT $1::bigint) l
WHERE l.run_at <= now() AND NOT EXISTS (SELECT FROM awa.queue_meta m WHERE m.queue = l.queue AND m.paused)
ORDER BY l.run_at
LIMIT 1
