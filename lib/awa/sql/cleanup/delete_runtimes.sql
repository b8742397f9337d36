-- cleanup/delete_runtimes: deletes those of some runtime rows that nobody has renewed for long; what others
-- have locked is passed over.
-- $1 uuid[]: instances
-- $2 interval: how long they are kept
WITH old AS MATERIALIZED (
    SELECT r.instance_id FROM awa.runtime_instances r
    WHERE r.instance_id = ANY ($1::uuid[]) AND r.last_seen_at < now() - $2::interval
    FOR UPDATE OF r SKIP LOCKED
), gone AS (
    DELETE FROM awa.runtime_instances r
    WHERE r.instance_id = ANY (ARRAY(SELECT o.instance_id FROM old o))
    RETURNING r.instance_id
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
