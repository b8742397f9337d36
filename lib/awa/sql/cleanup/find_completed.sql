-- cleanup/find_completed: names completed canonical jobs whose time is up, in a window along the index of
-- their ends, oldest first; and whether the window was full, and where it ended. Whether a job may
-- go depends on its end and its queue alone, so jobs that share both share their fate.
-- $1 integer: the most jobs to look at
-- $2 timestamp with time zone: the end where the look begins
-- $3 text: the queue where it begins, or NULL
-- $4 boolean: whether what shares both is looked at once more
-- $5 interval: how long completed jobs are kept
-- $6 text[]: queues that differ
-- $7 bigint[]: how long each of them keeps its own, in microseconds
WITH kept AS MATERIALIZED (
    SELECT o.queue, o.kept * interval '1 microsecond' AS kept
    FROM unnest($6::text[], $7::bigint[]) AS o(queue, kept)
), looked AS MATERIALIZED (
    SELECT j.id, j.finalized_at, j.queue FROM awa.jobs_hot j
    WHERE j.state = 'completed' AND j.finalized_at >= $2::timestamptz
      AND j.finalized_at < now() - LEAST($5::interval, (SELECT min(k.kept) FROM kept k))
      AND ($3::text IS NULL OR j.finalized_at > $2::timestamptz OR j.queue < $3::text
           OR (j.queue = $3::text AND $4::boolean))
    ORDER BY j.finalized_at, j.queue DESC
    LIMIT $1::integer
)
SELECT COALESCE(array_agg(l.id::text ORDER BY l.id)
                FILTER (WHERE l.finalized_at < now() - COALESCE(k.kept, $5::interval)), '{}') AS keys,
       count(*) = $1::integer AS is_full,
       max(l.finalized_at)::text AS ended_at,
       (array_agg(l.queue ORDER BY l.finalized_at DESC, l.queue))[1] AS ended_in
FROM looked l
LEFT JOIN kept k ON k.queue = l.queue
