-- rescue/dead_letters: names the jobs of attempts that become dead letters should they fail for good.
-- Workers publish per queue whether they do, under its name without the number of a stripe; what they publish may have
-- any shape, and a row from the future says nothing. A job that was moved has left an entombed row in its former queue.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 text: true, false, or workers for what a live worker says
-- $4 text[]: queues that differ
-- $5 text[]: what is said of each of them
WITH asked AS MATERIALIZED (
    SELECT DISTINCT q.item ->> 'queue' AS queue
    FROM awa.runtime_instances i
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(i.queues) WHEN 'array' THEN i.queues ELSE '[]' END) AS q(item)
    WHERE 'workers' = ANY ($3::text || $5::text[]) AND q.item #> '{config,dlq_enabled}' = 'true'
      AND i.last_seen_at >= now() - GREATEST(interval '30 s',
          3 * LEAST(GREATEST(i.snapshot_interval_ms, 0), 86400000) * interval '1 ms')
      AND i.last_seen_at < now() + interval '1 hour'
)
SELECT COALESCE(array_agg(DISTINCT r.job_id), '{}') AS jobs
FROM unnest($1::bigint[], $2::bigint[]) AS a(job_id, run_lease)
CROSS JOIN LATERAL (
    SELECT r.* FROM :"schema".ready_entries r WHERE r.job_id = a.job_id AND r.run_lease + 1 = a.run_lease
    ORDER BY
\ir ../parts/is_entombed.sql
    LIMIT 1) r
LEFT JOIN unnest($4::text[], $5::text[]) AS w(queue, word) ON w.queue = r.queue
WHERE CASE COALESCE(w.word, $3::text) WHEN 'true' THEN true
      WHEN 'workers' THEN r.queue IN (SELECT s.queue FROM asked s)
          OR regexp_replace(r.queue, '#[0-9]+$', '') IN (SELECT s.queue FROM asked s) END
