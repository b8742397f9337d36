-- canonical/next_due: since when a job has been due and when the next will be, in the canonical plane.
-- Microseconds, NULL for none; one row a plane and state. Due jobs of paused queues count: they are promoted.
-- $1 interval: how far back to look for due jobs; NULL for all the way
SELECT 'canonical' AS plane, 'scheduled' AS state,
    (SELECT (extract(epoch FROM now() - GREATEST(d.run_at, now() - interval '1 year')) * 1e6)::bigint
     FROM awa.scheduled_jobs d
     WHERE d.state = 'scheduled' AND d.run_at <= now()
       AND d.run_at >= COALESCE(now() - $1::interval, '-infinity')
     ORDER BY d.run_at LIMIT 1) AS due_since,
    (SELECT (extract(epoch FROM LEAST(d.run_at, now() + interval '1 year') - now()) * 1e6)::bigint
     FROM awa.scheduled_jobs d
     WHERE d.state = 'scheduled' AND d.run_at > now()
     ORDER BY d.run_at LIMIT 1) AS next_due
UNION ALL
SELECT 'canonical' AS plane, 'retryable' AS state,
    (SELECT (extract(epoch FROM now() - GREATEST(d.run_at, now() - interval '1 year')) * 1e6)::bigint
     FROM awa.scheduled_jobs d
     WHERE d.state = 'retryable' AND d.run_at <= now()
       AND d.run_at >= COALESCE(now() - $1::interval, '-infinity')
     ORDER BY d.run_at LIMIT 1) AS due_since,
    (SELECT (extract(epoch FROM LEAST(d.run_at, now() + interval '1 year') - now()) * 1e6)::bigint
     FROM awa.scheduled_jobs d
     WHERE d.state = 'retryable' AND d.run_at > now()
     ORDER BY d.run_at LIMIT 1) AS next_due
