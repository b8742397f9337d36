-- cleanup/delete_queue_descriptors: deletes the descriptors of those of some queues that no worker has
-- renewed for long; what others have locked is passed over.
-- $1 text[]: queues
-- $2 interval: how long descriptors are kept
WITH old AS MATERIALIZED (
    SELECT d.queue FROM awa.queue_descriptors d
    WHERE d.queue = ANY ($1::text[]) AND d.last_seen_at < now() - $2::interval
    FOR UPDATE OF d SKIP LOCKED
), gone AS (
    DELETE FROM awa.queue_descriptors d WHERE d.queue = ANY (ARRAY(SELECT o.queue FROM old o))
    RETURNING d.queue
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
