-- canonical/find_waiting: names available jobs that have waited long below the best priority, the longest first.
-- One look into the index for every queue and priority that there is.
-- $1 integer: the most jobs to name
-- $2 interval: how long they have waited at least
-- $3 bigint[]: jobs that are not named
WITH RECURSIVE queues AS (
    (SELECT j.queue FROM awa.jobs_hot j WHERE j.state = 'available' ORDER BY j.queue LIMIT 1)
    UNION ALL
    SELECT (SELECT j.queue FROM awa.jobs_hot j WHERE j.state = 'available' AND j.queue > q.queue
            ORDER BY j.queue LIMIT 1)
    FROM queues q WHERE q.queue IS NOT NULL
)
SELECT COALESCE(array_agg(w.id ORDER BY w.run_at, w.id), '{}') AS jobs
FROM (SELECT waiting.id, waiting.run_at
      FROM queues q
      CROSS JOIN (VALUES (2), (3), (4)) p(priority)
      CROSS JOIN LATERAL (SELECT j.id, j.run_at FROM awa.jobs_hot j
                          WHERE j.state = 'available' AND j.queue = q.queue AND j.priority = p.priority
                            AND j.run_at <= now() - $2::interval AND j.id <> ALL ($3::bigint[])
                          ORDER BY j.run_at, j.id
                          LIMIT $1::integer) waiting
      ORDER BY waiting.run_at, waiting.id
      LIMIT $1::integer) w
