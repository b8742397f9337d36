-- stats/deferred: jobs of one state, due or not, by queue, in a window along the index of their times;
-- and whether the window was full, and where it ended. No counts if the names of its queues
-- are too many bytes for a reply.
-- $1 awa.job_state: scheduled or retryable
-- $2 timestamp with time zone: the time of the job behind which the window begins
-- $3 text: its queue
-- $4 smallint: its priority
-- $5 bigint: that job
-- $6 integer: the most jobs to count
WITH looked AS MATERIALIZED (
    SELECT d.run_at, d.queue, d.priority, d.job_id FROM :"schema".deferred_jobs d
    WHERE d.state = $1::awa.job_state AND length(d.queue) <= 200
      AND (d.run_at, d.queue, d.priority, d.job_id) > ($2::timestamptz, $3::text, $4::smallint, $5::bigint)
    ORDER BY d.run_at, d.queue, d.priority, d.job_id
    LIMIT $6::integer
), counted AS (
    SELECT l.queue, count(*) AS jobs FROM looked l GROUP BY l.queue
), last AS (
    SELECT l.run_at, l.queue, l.priority, l.job_id FROM looked l
    ORDER BY l.run_at DESC, l.queue DESC, l.priority DESC, l.job_id DESC LIMIT 1
)
SELECT w.queues, w.jobs, (SELECT count(*) FROM looked) = $6::integer AS is_full,
       l.run_at::text AS run_at, l.queue, l.priority, l.job_id
FROM (SELECT CASE WHEN b.bytes <= 20000 THEN b.queues END AS queues,
             CASE WHEN b.bytes <= 20000 THEN b.jobs END AS jobs
      FROM (SELECT COALESCE(array_agg(c.queue), '{}') AS queues, COALESCE(array_agg(c.jobs), '{}') AS jobs,
                   COALESCE(sum(octet_length(c.queue) + 8), 0) AS bytes
            FROM counted c) b) w
LEFT JOIN last l ON true
