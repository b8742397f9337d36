-- cleanup/find_kind_descriptors: names kinds whose descriptor no worker has renewed for long; and whether
-- there may be more.
-- $1 integer: the most kinds to name
-- $2 interval: how long descriptors are kept
WITH old AS (
    SELECT d.kind FROM awa.job_kind_descriptors d
    WHERE d.last_seen_at < now() - $2::interval
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.kind), '{}') AS keys, count(*) = $1::integer AS is_full FROM old o
