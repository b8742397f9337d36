-- operations/add_items: enters jobs as those that a batch operation is about, and counts those that are new.
-- $1 uuid: operation
-- $2 bigint[]: jobs
WITH added AS (
    INSERT INTO awa.batch_operation_items (operation_id, job_id)
    SELECT $1::uuid, a.job FROM unnest($2::bigint[]) AS a(job)
    ON CONFLICT DO NOTHING
    RETURNING job_id
)
UPDATE awa.batch_operations o
SET total_matched = COALESCE(o.total_matched, 0) + n.jobs, updated_at = clock_timestamp()
FROM (SELECT count(*) AS jobs FROM added) n
WHERE o.id = $1::uuid AND o.state = 'scanning'
RETURNING n.jobs
