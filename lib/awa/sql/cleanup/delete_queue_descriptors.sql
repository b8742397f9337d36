-- cleanup/delete_queue_descriptors: deletes the descriptors of those of some queues that no worker has
-- renewed for long; what others have locked is passed over.
-- $1 text[]: queues
-- $2 interval: how long descriptors are kept
-- $3 text[]: queues that differ
-- $4 bigint[]: how long the descriptor of each of them is kept, in microseconds
WITH old AS MATERIALIZED (
    SELECT d.queue FROM awa.queue_descriptors d
    LEFT JOIN unnest($3::text[], $4::bigint[]) AS o(queue, kept) ON o.queue = d.queue
    WHERE d.queue = ANY ($1::text[])
      AND d.last_seen_at < now() - COALESCE(o.kept * interval '1 microsecond', $2::interval)
    FOR UPDATE OF d SKIP LOCKED
), gone AS (
    DELETE FROM awa.queue_descriptors d WHERE d.queue = ANY (ARRAY(SELECT o.queue FROM old o))
    RETURNING d.queue
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
