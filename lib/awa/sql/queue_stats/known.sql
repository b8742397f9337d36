-- queue_stats/known: queues that somebody has paused, sharded or named, whether or not there is a job in them. A page,
-- by the name of the queue.
-- $1 text: the queue behind which the page begins, or NULL
-- $2 integer: the most queues
SELECT m.queue FROM awa.queue_meta m
WHERE m.queue >= COALESCE($1::text, '') AND m.queue IS DISTINCT FROM $1::text AND length(m.queue) <= 200
ORDER BY m.queue LIMIT $2::integer
