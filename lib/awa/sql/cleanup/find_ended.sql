-- cleanup/find_ended: names failed and cancelled canonical jobs whose time is up, in a window along their
-- numbers, lowest first; and whether there may be more behind it, and where it ended. No index tells
-- their ends; but a job is made before it ends, so the search is over where all in a window are too
-- young for it.
-- $1 integer: the most jobs to look at
-- $2 bigint: the job behind which the look begins
-- $3 interval: how long failed and cancelled jobs are kept
-- $4 text[]: queues that differ
-- $5 bigint[]: how long each of them keeps its own, in microseconds
WITH kept AS MATERIALIZED (
    SELECT o.queue, o.kept * interval '1 microsecond' AS kept
    FROM unnest($4::text[], $5::bigint[]) AS o(queue, kept)
), looked AS MATERIALIZED (
    SELECT j.id, j.state, j.queue, j.finalized_at, j.created_at FROM awa.jobs_hot j
    WHERE j.id > $2::bigint
    ORDER BY j.id
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(l.id::text ORDER BY l.id)
                FILTER (WHERE l.state IN ('failed', 'cancelled')
                        AND l.finalized_at < now() - COALESCE(k.kept, $3::interval)), '{}') AS keys,
       count(*) = $1::integer
           AND min(l.created_at) < now() - LEAST($3::interval, (SELECT min(k.kept) FROM kept k)) AS has_more,
       max(l.id)::text AS ended_at
FROM looked l
LEFT JOIN kept k ON k.queue = l.queue
