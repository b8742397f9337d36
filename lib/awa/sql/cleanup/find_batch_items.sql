-- cleanup/find_batch_items: names the places of items of finished batch operations whose time is up; and
-- whether there may be more. An operation may have more items than one statement can delete.
-- $1 integer: the most items to name
WITH old AS (
    SELECT i.ctid AS place
    FROM (SELECT o.id FROM awa.batch_operations o
          WHERE o.retention_until < now() AND o.state IN ('completed', 'cancelled', 'failed')
            AND EXISTS (SELECT FROM awa.batch_operation_items i WHERE i.operation_id = o.id)
          ORDER BY o.retention_until LIMIT $1::integer) o
    CROSS JOIN LATERAL (SELECT i.ctid FROM awa.batch_operation_items i
                        WHERE i.operation_id = o.id LIMIT $1::integer) i
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.place::text), '{}') AS keys, count(*) = $1::integer AS is_full FROM old o
