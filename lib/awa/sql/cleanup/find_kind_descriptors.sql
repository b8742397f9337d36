-- cleanup/find_kind_descriptors: names kinds whose descriptor no worker has renewed for long, in the order of their
-- names; and whether there may be more, and the last name.
-- $1 integer: the most kinds to name
-- $2 text: the kind behind which to begin
-- $3 interval: how long descriptors are kept
WITH old AS (
    SELECT d.kind FROM awa.job_kind_descriptors d
    WHERE d.kind > $2::text AND d.last_seen_at < now() - $3::interval
    ORDER BY d.kind
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.kind), '{}') AS keys, count(*) = $1::integer AS is_full, max(o.kind) AS ended_at FROM old o
