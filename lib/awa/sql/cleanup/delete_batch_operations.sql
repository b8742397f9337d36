-- cleanup/delete_batch_operations: deletes those of some batch operations that are finished, whose time is
-- up and whose items are gone; what others have locked is passed over.
-- $1 uuid[]: operations
WITH old AS MATERIALIZED (
    SELECT o.id FROM awa.batch_operations o
    WHERE o.id = ANY ($1::uuid[])
      AND o.retention_until < now() AND o.state IN ('completed', 'cancelled', 'failed')
    FOR UPDATE OF o SKIP LOCKED
), gone AS (
    DELETE FROM awa.batch_operations o
    WHERE o.id = ANY (ARRAY(SELECT l.id FROM old l
                            WHERE NOT EXISTS (SELECT FROM awa.batch_operation_items i
                                              WHERE i.operation_id = l.id)))
    RETURNING o.id
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
