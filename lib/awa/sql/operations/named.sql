-- operations/named: enters that a batch operation has named all its jobs.
-- $1 uuid: operation
-- $2 text: the plane where they are
UPDATE awa.batch_operations o
SET state = 'running', updated_at = clock_timestamp(),
    cursor = jsonb_build_object('after_job_id', 0, 'plane', $2::text, 'max_job_id', COALESCE(
        (SELECT max(i.job_id) FROM awa.batch_operation_items i WHERE i.operation_id = o.id), 0))
WHERE o.id = $1::uuid AND o.state = 'scanning'
