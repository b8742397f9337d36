-- cleanup/find_dead_letters: names dead letters whose time is up, queue by queue, the oldest of each first;
-- and whether there may be more.
-- $1 integer: the most dead letters to name
-- $2 interval: how long dead letters are kept
-- $3 text[]: queues that differ
-- $4 bigint[]: how long each of them keeps its own, in microseconds
WITH RECURSIVE kept AS MATERIALIZED (
    SELECT o.queue, o.kept * interval '1 microsecond' AS kept
    FROM unnest($3::text[], $4::bigint[]) AS o(queue, kept)
), named AS (
    (SELECT d.queue FROM :"schema".dlq_entries d ORDER BY d.queue LIMIT 1)
    UNION ALL
    SELECT n.queue FROM named p
    CROSS JOIN LATERAL (SELECT d.queue FROM :"schema".dlq_entries d
                        WHERE d.queue > p.queue ORDER BY d.queue LIMIT 1) n
), old AS (
    SELECT d.job_id
    FROM named n
    LEFT JOIN kept k ON k.queue = n.queue
    CROSS JOIN LATERAL (SELECT d.job_id FROM :"schema".dlq_entries d
                        WHERE d.queue = n.queue AND d.dlq_at < now() - COALESCE(k.kept, $2::interval)
                        ORDER BY d.dlq_at LIMIT $1::integer) d
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.job_id::text), '{}') AS keys, count(*) = $1::integer AS is_full FROM old o
