-- canonical/due_retryable: the first due retryable jobs, oldest first.
-- $1 integer: the most jobs to name, a thousand at most
-- $2 bigint[]: jobs to leave out
-- $3 interval: how far back to look; NULL for all the way
SELECT COALESCE(array_agg(f.id ORDER BY f.run_at, f.id), '{}') AS jobs
FROM (SELECT d.id, d.run_at
      FROM (SELECT s.id, s.run_at FROM awa.scheduled_jobs s
            WHERE s.state = 'retryable' AND s.run_at <= now()
              AND s.run_at >= COALESCE(now() - $3::interval, '-infinity')
              AND s.id NOT IN (SELECT o.id FROM unnest($2::bigint[]) AS o(id))
            ORDER BY s.run_at, s.id LIMIT 1000) d
      ORDER BY d.run_at, d.id LIMIT $1::integer) f
