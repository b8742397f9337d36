-- queue_stats/canonical: what the canonical plane holds of each queue, as Awa's own counts have it, and for how many
-- seconds its oldest available job with a time has been due. A page, by the name of the queue.
-- $1 text: the queue behind which the page begins, or NULL
-- $2 integer: the most queues
WITH page AS (
    SELECT q.queue
    FROM (SELECT s.queue FROM awa.queue_state_counts s
          UNION
          SELECT m.queue FROM awa.queue_meta m
          UNION
          SELECT d.queue FROM awa.queue_descriptors d) q
    WHERE q.queue >= COALESCE($1::text, '') AND q.queue IS DISTINCT FROM $1::text AND length(q.queue) <= 200
    ORDER BY q.queue LIMIT $2::integer
)
SELECT p.queue, COALESCE(s.available, 0) AS available, COALESCE(s.running, 0) AS running,
       COALESCE(s.failed, 0) AS failed, COALESCE(s.scheduled, 0) AS scheduled,
       COALESCE(s.retryable, 0) AS retryable, COALESCE(s.waiting_external, 0) AS waiting,
       (SELECT extract(epoch FROM now() - min(j.run_at))::float8
        FROM generate_series(1, 4) AS priority
        CROSS JOIN LATERAL (SELECT a.run_at FROM awa.jobs_hot a
                            WHERE a.state = 'available' AND a.queue = p.queue AND a.priority = priority.priority
                              AND a.run_at > '-infinity' AND a.run_at < 'infinity'
                            ORDER BY a.run_at LIMIT 1) j) AS lag
FROM page p
LEFT JOIN awa.queue_state_counts s ON s.queue = p.queue
ORDER BY p.queue
