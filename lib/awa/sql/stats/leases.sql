-- stats/leases: attempts with a lease in each queue, running and waiting for a callback. A page, by the name of
-- the queue.
-- $1 text: the queue behind which the page begins, or NULL
-- $2 integer: the most queues
SELECT l.queue, count(*) FILTER (WHERE l.state = 'running') AS running,
       count(*) FILTER (WHERE l.state = 'waiting_external') AS waiting
FROM :"schema".leases l
WHERE l.queue >= COALESCE($1::text, '') AND l.queue IS DISTINCT FROM $1::text
  AND length(l.queue) <= 200
GROUP BY l.queue ORDER BY l.queue LIMIT $2::integer
