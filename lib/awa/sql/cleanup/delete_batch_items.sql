-- cleanup/delete_batch_items: deletes what stands at some places of the table of items, if it belongs to a
-- finished batch operation whose time is up; what others have locked is passed over.
-- $1 tid[]: places
WITH old AS MATERIALIZED (
    SELECT i.ctid AS place
    FROM awa.batch_operation_items i
    JOIN awa.batch_operations o ON o.id = i.operation_id
    WHERE i.ctid = ANY ($1::tid[])
      AND o.retention_until < now() AND o.state IN ('completed', 'cancelled', 'failed')
    FOR UPDATE OF i SKIP LOCKED
), gone AS (
    DELETE FROM awa.batch_operation_items i WHERE i.ctid = ANY (ARRAY(SELECT o.place FROM old o))
    RETURNING i.job_id
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
