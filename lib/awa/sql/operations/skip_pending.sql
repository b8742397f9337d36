-- operations/skip_pending: counts the next jobs of a batch operation that are left to be done as skipped.
-- $1 uuid: operation
-- $2 integer: the most jobs
WITH rest AS MATERIALIZED (
    SELECT i.ctid FROM awa.batch_operation_items i
    WHERE i.operation_id = $1::uuid AND i.state = 'pending'
    ORDER BY i.job_id LIMIT $2::integer
    FOR UPDATE SKIP LOCKED
), item AS (
    UPDATE awa.batch_operation_items i SET state = 'skipped', processed_at = clock_timestamp()
    WHERE i.ctid = ANY (ARRAY(SELECT r.ctid FROM rest r))
    RETURNING i.job_id
)
UPDATE awa.batch_operations o
SET skipped = o.skipped + (SELECT count(*) FROM item), updated_at = clock_timestamp()
WHERE o.id = $1::uuid AND EXISTS (SELECT FROM rest)
RETURNING (SELECT count(*) FROM item) AS jobs
