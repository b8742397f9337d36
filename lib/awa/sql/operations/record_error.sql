-- operations/record_error: counts a job of a batch operation as one that cannot be changed.
-- $1 uuid: operation
-- $2 bigint: job
-- $3 text: why
WITH item AS (
    UPDATE awa.batch_operation_items i SET state = 'errored', error = $3::text, processed_at = clock_timestamp()
    WHERE i.operation_id = $1::uuid AND i.job_id = $2::bigint AND i.state = 'pending'
    RETURNING i.job_id
)
UPDATE awa.batch_operations o
SET errored = o.errored + (SELECT count(*) FROM item), last_error = $3::text, updated_at = clock_timestamp()
WHERE o.id = $1::uuid AND EXISTS (SELECT FROM item)
