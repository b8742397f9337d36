-- operations/name_available: names those of the next canonical jobs that the filter of a batch operation matches, and were
-- there when it was begun. Says as well whether there may be more of them, and the last one looked at.
-- $1 uuid: operation
-- $2 bigint: the job behind which to begin
-- $3 integer: the most jobs to look at
WITH operation AS MATERIALIZED (
    SELECT o.filter, o.started_at FROM awa.batch_operations o WHERE o.id = $1::uuid
), ids AS MATERIALIZED (
    SELECT (i.id)::numeric AS id FROM operation o
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(o.filter -> 'ids') WHEN 'array' THEN o.filter -> 'ids' ELSE '[]' END) AS i(id)
), seen AS MATERIALIZED (
    SELECT j.* FROM awa.jobs_hot j WHERE j.id > $2::bigint ORDER BY j.id LIMIT $3::integer
), matching AS (
    SELECT s.id AS job FROM seen s CROSS JOIN operation o
    WHERE s.state = 'available'
      AND s.created_at <= o.started_at
      AND (o.filter ->> 'kind' IS NULL OR s.kind = o.filter ->> 'kind')
      AND (o.filter ->> 'queue' IS NULL OR s.queue = o.filter ->> 'queue')
      AND (o.filter ->> 'tag' IS NULL OR o.filter ->> 'tag' = ANY (s.tags))
      AND (o.filter ->> 'state' IS NULL OR o.filter ->> 'state' = 'available')
      AND (o.filter ->> 'created_at_gte' IS NULL OR s.created_at >= (o.filter ->> 'created_at_gte')::timestamptz)
      AND (o.filter ->> 'created_at_lt' IS NULL OR s.created_at < (o.filter ->> 'created_at_lt')::timestamptz)
      AND (COALESCE(o.filter -> 'ids', 'null') = 'null' OR s.id IN (SELECT i.id FROM ids i))
)
SELECT (SELECT count(*) = $3::integer FROM seen) AS is_full, (SELECT max(s.id) FROM seen s) AS last,
       COALESCE(array_agg(m.job ORDER BY m.job), '{}') AS jobs
FROM matching m
