-- cleanup/find_runtimes: names runtime rows that nobody has renewed for long, the oldest first; and whether
-- there may be more.
-- $1 integer: the most rows to name
-- $2 interval: how long they are kept
WITH old AS (
    SELECT r.instance_id FROM awa.runtime_instances r
    WHERE r.last_seen_at < now() - $2::interval
    ORDER BY r.last_seen_at
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.instance_id::text), '{}') AS keys, count(*) = $1::integer AS is_full FROM old o
