-- promotion/next_due_alone: the half of promotion/next_due that is about queue storage, for when somebody has locked a
-- canonical table.
-- $1 interval: how far back to look for due jobs; NULL for all the way
SELECT 'queue' AS plane, 'scheduled' AS state,
    (SELECT (extract(epoch FROM now() - GREATEST(d.run_at, now() - interval '1 year')) * 1e6)::bigint
     FROM :"schema".deferred_jobs d
     WHERE d.state = 'scheduled' AND d.run_at <= now()
       AND d.run_at >= COALESCE(now() - $1::interval, '-infinity') AND d.queue NOT IN (
        SELECT m.queue FROM awa.queue_meta m WHERE m.paused)
     ORDER BY d.run_at LIMIT 1) AS due_since,
    (SELECT (extract(epoch FROM LEAST(d.run_at, now() + interval '1 year') - now()) * 1e6)::bigint
     FROM :"schema".deferred_jobs d
     WHERE d.state = 'scheduled' AND d.run_at > now()
     ORDER BY d.run_at LIMIT 1) AS next_due
UNION ALL
SELECT 'queue' AS plane, 'retryable' AS state,
    (SELECT (extract(epoch FROM now() - GREATEST(d.run_at, now() - interval '1 year')) * 1e6)::bigint
     FROM :"schema".deferred_jobs d
     WHERE d.state = 'retryable' AND d.run_at <= now()
       AND d.run_at >= COALESCE(now() - $1::interval, '-infinity') AND d.queue NOT IN (
        SELECT m.queue FROM awa.queue_meta m WHERE m.paused)
     ORDER BY d.run_at LIMIT 1) AS due_since,
    (SELECT (extract(epoch FROM LEAST(d.run_at, now() + interval '1 year') - now()) * 1e6)::bigint
     FROM :"schema".deferred_jobs d
     WHERE d.state = 'retryable' AND d.run_at > now()
     ORDER BY d.run_at LIMIT 1) AS next_due
