-- cleanup/find_queue_descriptors: names queues whose descriptor no worker has renewed for long, in the order of their
-- names; and whether there may be more, and the last name.
-- $1 integer: the most queues to name
-- $2 text: the queue behind which to begin
-- $3 interval: how long descriptors are kept
-- $4 text[]: queues that differ
-- $5 bigint[]: how long the descriptor of each of them is kept, in microseconds
WITH old AS (
    SELECT d.queue FROM awa.queue_descriptors d
    LEFT JOIN unnest($4::text[], $5::bigint[]) AS o(queue, kept) ON o.queue = d.queue
    WHERE d.queue > $2::text
      AND d.last_seen_at < now() - COALESCE(o.kept * interval '1 microsecond', $3::interval)
    ORDER BY d.queue
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.queue), '{}') AS keys, count(*) = $1::integer AS is_full, max(o.queue) AS ended_at FROM old o
