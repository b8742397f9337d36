-- cleanup/delete_kind_descriptors: deletes the descriptors of those of some kinds that no worker has
-- renewed for long; what others have locked is passed over.
-- $1 text[]: kinds
-- $2 interval: how long descriptors are kept
WITH old AS MATERIALIZED (
    SELECT d.kind FROM awa.job_kind_descriptors d
    WHERE d.kind = ANY ($1::text[]) AND d.last_seen_at < now() - $2::interval
    FOR UPDATE OF d SKIP LOCKED
), gone AS (
    DELETE FROM awa.job_kind_descriptors d WHERE d.kind = ANY (ARRAY(SELECT o.kind FROM old o))
    RETURNING d.kind
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
