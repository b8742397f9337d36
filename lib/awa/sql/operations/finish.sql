-- operations/finish: ends a batch operation, unless it has jobs that are left to be done and has not failed. One that
-- somebody has cancelled is cancelled.
-- $1 uuid: operation
-- $2 text: completed or failed
-- $3 text: why it has failed, or NULL
-- $4 interval: how long it is kept
UPDATE awa.batch_operations o
SET state = CASE WHEN o.state = 'cancelling' AND $2::text = 'completed' THEN 'cancelled' ELSE $2::text END,
    started_at = COALESCE(o.started_at, clock_timestamp()),
    finalized_at = COALESCE(o.finalized_at, clock_timestamp()),
    retention_until = COALESCE(o.retention_until, clock_timestamp() + $4::interval),
    last_error = COALESCE($3::text, o.last_error),
    total_matched = GREATEST(o.total_matched,
        NULLIF(LEAST(o.processed::numeric + o.skipped + o.errored, 9223372036854775807)::bigint, 0)),
    updated_at = clock_timestamp()
WHERE o.id = $1::uuid AND o.state IN ('pending', 'scanning', 'running', 'cancelling')
  AND ($2::text = 'failed' OR NOT EXISTS (
      SELECT FROM awa.batch_operation_items i WHERE i.operation_id = o.id AND i.state = 'pending'))
RETURNING state
