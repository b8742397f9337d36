-- cleanup/find_batch_operations: names finished batch operations whose time is up, the oldest first; and
-- whether there may be more.
-- $1 integer: the most operations to name
WITH old AS (
    SELECT o.id FROM awa.batch_operations o
    WHERE o.retention_until < now() AND o.state IN ('completed', 'cancelled', 'failed')
    ORDER BY o.retention_until
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.id::text), '{}') AS keys, count(*) = $1::integer AS is_full FROM old o
