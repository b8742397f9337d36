-- admin/count_kinds: how many jobs of some kinds there are, what version Awa's row about each has, if any, and
-- whether Awa's row says the same; in the order in which the kinds are named. No count for a kind of
-- too many jobs.
-- $1 text[]: the kinds
-- $2 integer: jobs of a table that are too many
SELECT CASE WHEN c.jobs < $2::integer THEN ARRAY[c.jobs] END AS counts,
       COALESCE(k.xmin::text, '') AS version,
       CASE WHEN c.jobs = 0 THEN k.kind IS NULL ELSE k.ref_count IS NOT DISTINCT FROM c.jobs END AS is_right
FROM unnest($1::text[]) WITH ORDINALITY AS asked(kind, place)
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs
    FROM ((SELECT FROM awa.jobs_hot h WHERE h.kind = asked.kind LIMIT $2::integer)
          UNION ALL
          (SELECT FROM awa.scheduled_jobs d WHERE d.kind = asked.kind LIMIT $2::integer)) j
) c
LEFT JOIN awa.job_kind_catalog k ON k.kind = asked.kind
ORDER BY asked.place
