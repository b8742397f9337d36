-- stats/dead_letters: dead letters of each queue. A page, by the name of the queue.
-- $1 text: the queue behind which the page begins, or NULL
-- $2 integer: the most queues
SELECT d.queue, count(*) AS dead_letters
FROM :"schema".dlq_entries d
WHERE d.queue >= COALESCE($1::text, '') AND d.queue IS DISTINCT FROM $1::text
  AND length(d.queue) <= 200
GROUP BY d.queue ORDER BY d.queue LIMIT $2::integer
