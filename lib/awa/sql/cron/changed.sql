-- cron/changed: the schedules that are not known as they are now, in the order of their names, as many
-- as fit into 40 kB. Texts that are longer than they may be are left out, the beginning of the name
-- excepted; marks of time, in microseconds since 1970, are left out when they lie beyond reason. refused says why Awa's
-- tables would not take the job, NULL if they would.
-- $1 bigint[]: the versions that are known
SELECT p.id, p.version, p.content, left(p.name, 400) AS name, char_length(p.name) AS name_length,
       p.expression, p.zone, p.queue, p.policy, p.metadata_type, p.is_paused, p.last, p.created,
       p.refused
FROM (
    SELECT r.*, sum(400 + COALESCE(octet_length(r.expression), 0) + octet_length(left(r.name, 400))
                    + octet_length(r.zone) + octet_length(r.queue))
                OVER (ORDER BY r.name ROWS UNBOUNDED PRECEDING) AS so_far
    FROM (
        SELECT c.name, hashtextextended(c.name, 0) AS id,
               hashtextextended(c.name, c.xmin::text::bigint) AS version,
               hash_record_extended(ROW(c.cron_expr, c.timezone, c.kind, c.queue, c.args, c.priority,
                   c.max_attempts, c.tags, c.metadata, c.missed_fire_policy, c.created_at), 0) AS content,
               CASE WHEN char_length(c.cron_expr) <= 1000 THEN c.cron_expr END AS expression,
               left(c.timezone, 100) AS zone, left(c.queue, 200) AS queue,
               left(c.missed_fire_policy, 20) AS policy, jsonb_typeof(c.metadata) AS metadata_type,
               c.paused_at IS NOT NULL AS is_paused,
               CASE WHEN c.last_enqueued_at BETWEEN '0001-01-01' AND '9999-12-31'
                    THEN (extract(epoch FROM c.last_enqueued_at) * 1000000)::bigint
                    WHEN c.last_enqueued_at IS NOT NULL THEN 9223372036854775807 END AS last,
               CASE WHEN c.created_at BETWEEN '0001-01-01' AND '9999-12-31'
                    THEN (extract(epoch FROM c.created_at) * 1000000)::bigint
                    ELSE 9223372036854775807 END AS created,
               CASE WHEN c.priority NOT BETWEEN 1 AND 4 THEN format('priority is %s; write 1 to 4', c.priority)
                    WHEN c.max_attempts NOT BETWEEN 1 AND 1000 THEN format('max_attempts is %s; write 1 to 1000', c.max_attempts)
                    WHEN length(c.kind) > 200 THEN format('kind has %s characters; write 200 at most', length(c.kind))
                    WHEN length(c.queue) > 200 THEN format('queue has %s characters; write 200 at most', length(c.queue))
                    WHEN cardinality(c.tags) > 20 THEN format('tags are %s; write 20 at most', cardinality(c.tags)) END AS refused
        FROM awa.cron_jobs c
        WHERE hashtextextended(c.name, c.xmin::text::bigint) NOT IN (SELECT unnest($1::bigint[]))
        ORDER BY c.name
        LIMIT 200
    ) r
) p
WHERE p.so_far <= 40000
ORDER BY p.name
