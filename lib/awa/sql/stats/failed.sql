-- stats/failed: failed jobs of each queue that are still in the queue ring. A page, by the name of the queue.
-- $1 text: the queue behind which the page begins, or NULL
-- $2 integer: the most queues
SELECT d.queue, count(*) AS failed
FROM :"schema".done_entries d
WHERE d.state = 'failed' AND d.queue >= COALESCE($1::text, '') AND d.queue IS DISTINCT FROM $1::text
  AND length(d.queue) <= 200
GROUP BY d.queue ORDER BY d.queue LIMIT $2::integer
