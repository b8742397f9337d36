-- cleanup/find_queue_descriptors: names queues whose descriptor no worker has renewed for long; and whether
-- there may be more.
-- $1 integer: the most queues to name
-- $2 interval: how long descriptors are kept
-- $3 text[]: queues that differ
-- $4 bigint[]: how long the descriptor of each of them is kept, in microseconds
WITH old AS (
    SELECT d.queue FROM awa.queue_descriptors d
    LEFT JOIN unnest($3::text[], $4::bigint[]) AS o(queue, kept) ON o.queue = d.queue
    WHERE d.last_seen_at < now() - COALESCE(o.kept * interval '1 microsecond', $2::interval)
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.queue), '{}') AS keys, count(*) = $1::integer AS is_full FROM old o
