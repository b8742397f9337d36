-- cleanup/find_runtimes: names runtime rows that nobody has renewed for long, the oldest first; and whether there may
-- be more, and the last one.
-- $1 integer: the most rows to name
-- $2 timestamp with time zone: when the row behind which to begin was renewed
-- $3 uuid: that row
-- $4 interval: how long they are kept
WITH old AS (
    SELECT r.instance_id, r.last_seen_at FROM awa.runtime_instances r
    WHERE r.last_seen_at < now() - $4::interval
      AND (r.last_seen_at, r.instance_id) > ($2::timestamptz, $3::uuid)
    ORDER BY r.last_seen_at, r.instance_id
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.instance_id::text), '{}') AS keys, count(*) = $1::integer AS is_full,
       max(o.last_seen_at)::text AS ended_at,
       (array_agg(o.instance_id::text ORDER BY o.last_seen_at DESC, o.instance_id DESC))[1] AS ended_with
FROM old o
