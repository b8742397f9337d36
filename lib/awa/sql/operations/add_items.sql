-- operations/add_items: enters jobs as those that a batch operation is about.
-- $1 uuid: operation
-- $2 bigint[]: jobs
WITH added AS (
    INSERT INTO awa.batch_operation_items (operation_id, job_id)
    SELECT $1::uuid, a.job FROM unnest($2::bigint[]) AS a(job)
    ON CONFLICT DO NOTHING
    RETURNING job_id
)
UPDATE awa.batch_operations o
SET total_matched = COALESCE(o.total_matched, 0) + (SELECT count(*) FROM added), updated_at = clock_timestamp()
WHERE o.id = $1::uuid AND o.state = 'scanning'
