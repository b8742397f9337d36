-- admin/count_queues: how many jobs some queues hold in each state, what version Awa's row about each has, if any,
-- and whether Awa's rows say the same; in the order in which the queues are named. No counts for a
-- queue that holds too many jobs.
-- $1 text[]: the queues
-- $2 integer: jobs of a table that are too many
SELECT CASE WHEN c.jobs < $2::integer THEN c.counts END AS counts,
       COALESCE(s.xmin::text, '') AS version,
       CASE WHEN c.jobs = 0 THEN s.queue IS NULL AND q.queue IS NULL
            ELSE q.ref_count IS NOT DISTINCT FROM c.jobs
                 AND c.counts IS NOT DISTINCT FROM
                     ARRAY[s.scheduled, s.available, s.running, s.completed, s.retryable, s.failed, s.cancelled,
                           s.waiting_external] END AS is_right
FROM unnest($1::text[]) WITH ORDINALITY AS asked(queue, place)
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs,
           ARRAY[count(*) FILTER (WHERE j.state = 'scheduled'), count(*) FILTER (WHERE j.state = 'available'),
                 count(*) FILTER (WHERE j.state = 'running'), count(*) FILTER (WHERE j.state = 'completed'),
                 count(*) FILTER (WHERE j.state = 'retryable'), count(*) FILTER (WHERE j.state = 'failed'),
                 count(*) FILTER (WHERE j.state = 'cancelled'),
                 count(*) FILTER (WHERE j.state = 'waiting_external')] AS counts
    FROM ((SELECT h.state FROM awa.jobs_hot h WHERE h.queue = asked.queue LIMIT $2::integer)
          UNION ALL
          (SELECT d.state FROM awa.scheduled_jobs d WHERE d.queue = asked.queue LIMIT $2::integer)) j
) c
LEFT JOIN awa.queue_state_counts s ON s.queue = asked.queue
LEFT JOIN awa.job_queue_catalog q ON q.queue = asked.queue
ORDER BY asked.place
