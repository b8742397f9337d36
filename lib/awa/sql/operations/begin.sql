-- operations/begin: enters a batch operation as being worked at. While it names its jobs, the total is the
-- number of jobs that it has named so far. Awa's own leader leaves none; of what that one has named no more than
-- 100,000 are counted here, and the end of the operation corrects the total. It does not say either where it named
-- them: here, as long as the storage has not been switched since.
-- $1 uuid: operation
-- $2 text: the plane where its jobs are named
UPDATE awa.batch_operations o
SET state = CASE o.state WHEN 'pending' THEN 'scanning' ELSE o.state END,
    started_at = COALESCE(o.started_at, clock_timestamp()),
    runner_instance = gen_random_uuid(),
    updated_at = clock_timestamp(),
    total_matched = CASE o.state WHEN 'running' THEN o.total_matched ELSE COALESCE(o.total_matched, (
        SELECT count(*) FROM (SELECT FROM awa.batch_operation_items i WHERE i.operation_id = o.id LIMIT 100000) n)) END,
    cursor = CASE WHEN o.state <> 'running' THEN jsonb_build_object('after_job_id', 0, 'max_job_id', 0, 'plane', $2::text)
        WHEN jsonb_typeof(o.cursor) = 'object' THEN jsonb_build_object('plane', $2::text) || o.cursor
        ELSE o.cursor END
WHERE o.id = $1::uuid AND o.state IN ('pending', 'scanning', 'running')
