-- operations/pending_deferred: names those of the next jobs of a batch operation that are deferred and
-- would change. Says as well whether there may be more of them, and the last one looked at.
-- $1 uuid: operation
-- $2 bigint: the job behind which to begin
-- $3 integer: the most jobs to look at
-- $4 text: the queue that they shall have, NULL for the one that they have
-- $5 integer: the priority that they shall have, NULL for the one that they have
WITH seen AS MATERIALIZED (
    SELECT i.job_id FROM awa.batch_operation_items i
    WHERE i.operation_id = $1::uuid AND i.state = 'pending' AND i.job_id > $2::bigint
    ORDER BY i.job_id LIMIT $3::integer
), changing AS (
    SELECT s.job_id FROM seen s
    WHERE EXISTS (SELECT FROM :"schema".deferred_jobs j WHERE j.job_id = s.job_id AND j.state = 'scheduled'
                  AND (j.queue <> $4::text OR j.priority <> $5::integer) OFFSET 0)
)
SELECT (SELECT count(*) = $3::integer FROM seen) AS is_full, (SELECT max(s.job_id) FROM seen s) AS last,
       COALESCE(array_agg(c.job_id ORDER BY c.job_id), '{}') AS jobs
FROM changing c
