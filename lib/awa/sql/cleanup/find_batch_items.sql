-- cleanup/find_batch_items: names the places of items of the next finished batch operation whose time is up and that has
-- any; whether there may be more, and the last one. An operation may have more items than one statement can
-- delete.
-- $1 integer: the most items to name
-- $2 timestamp with time zone: the end of the time of the operation with the item behind which to begin
-- $3 uuid: that operation
-- $4 bigint: the job of that item
WITH operation AS MATERIALIZED (
    SELECT o.id, o.retention_until, first.job_id
    FROM awa.batch_operations o
    CROSS JOIN LATERAL (SELECT CASE WHEN (o.retention_until, o.id) > ($2::timestamptz, $3::uuid)
                               THEN -9223372036854775808 ELSE $4::bigint END AS job_id) first
    WHERE o.retention_until < now() AND o.state IN ('completed', 'cancelled', 'failed')
      AND (o.retention_until, o.id) >= ($2::timestamptz, $3::uuid)
      AND EXISTS (SELECT FROM awa.batch_operation_items i WHERE i.operation_id = o.id AND i.job_id > first.job_id)
    ORDER BY o.retention_until, o.id
    LIMIT 1
), old AS (
    SELECT i.ctid AS place, i.job_id
    FROM operation o CROSS JOIN LATERAL (
        SELECT i.ctid, i.job_id FROM awa.batch_operation_items i
        WHERE i.operation_id = o.id AND i.job_id > o.job_id ORDER BY i.job_id LIMIT $1::integer) i
)
SELECT COALESCE(array_agg(o.place::text), '{}') AS keys, count(*) > 0 AS may_be_more,
       (SELECT p.retention_until::text FROM operation p) AS ended_at, (SELECT p.id::text FROM operation p) AS ended_with,
       max(o.job_id) AS last
FROM old o
