-- cleanup/find_batch_operations: names finished batch operations whose time is up, the oldest first; and
-- whether there may be more, and the last one.
-- $1 integer: the most operations to name
-- $2 timestamp with time zone: the end of the time of the operation behind which to begin
-- $3 uuid: that operation
WITH old AS (
    SELECT o.id, o.retention_until FROM awa.batch_operations o
    WHERE o.retention_until < now() AND o.state IN ('completed', 'cancelled', 'failed')
      AND (o.retention_until, o.id) > ($2::timestamptz, $3::uuid)
    ORDER BY o.retention_until, o.id
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.id::text), '{}') AS keys, count(*) = $1::integer AS is_full,
       max(o.retention_until)::text AS ended_at,
       (array_agg(o.id::text ORDER BY o.retention_until DESC, o.id DESC))[1] AS ended_with
FROM old o
