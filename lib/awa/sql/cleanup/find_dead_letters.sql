-- cleanup/find_dead_letters: names dead letters whose time is up, queue by queue, the oldest of each first;
-- and whether there may be more, and where the last one is.
-- $1 integer: the most dead letters to name
-- $2 text: the queue where to begin
-- $3 timestamp with time zone: the time of the dead letter there behind which to begin
-- $4 boolean: whether what has that time is looked at once more
-- $5 interval: how long dead letters are kept
-- $6 text[]: queues that differ
-- $7 bigint[]: how long each of them keeps its own, in microseconds
WITH RECURSIVE kept AS MATERIALIZED (
    SELECT o.queue, o.kept * interval '1 microsecond' AS kept
    FROM unnest($6::text[], $7::bigint[]) AS o(queue, kept)
), named AS (
    (SELECT d.queue FROM :"schema".dlq_entries d WHERE d.queue >= $2::text ORDER BY d.queue LIMIT 1)
    UNION ALL
    SELECT n.queue FROM named p
    CROSS JOIN LATERAL (SELECT d.queue FROM :"schema".dlq_entries d
                        WHERE d.queue > p.queue ORDER BY d.queue LIMIT 1) n
), old AS (
    SELECT n.queue, d.job_id, d.dlq_at
    FROM named n
    CROSS JOIN LATERAL (
        SELECT d.job_id, d.dlq_at FROM :"schema".dlq_entries d
        WHERE d.queue = n.queue
          AND d.dlq_at < now() - COALESCE((SELECT k.kept FROM kept k WHERE k.queue = n.queue LIMIT 1), $5::interval)
          AND (n.queue > $2::text OR d.dlq_at > $3::timestamptz OR (d.dlq_at = $3::timestamptz AND $4::boolean))
        ORDER BY d.dlq_at LIMIT $1::integer) d
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(o.job_id::text), '{}') AS keys, count(*) = $1::integer AS is_full,
       max(o.queue) AS ended_in,
       (array_agg(o.dlq_at ORDER BY o.queue DESC, o.dlq_at DESC))[1]::text AS ended_at
FROM old o
