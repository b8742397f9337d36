-- queue_stats/deferred: jobs of one state, due or not, by queue, in a window along the index of their times; and whether
-- the window was full, and where it ended. No counts if the names of its queues are too many bytes for a reply.
-- $1 integer: the most jobs to count
-- $2 awa.job_state: scheduled or retryable
-- $3 timestamp with time zone: the time of the job behind which the window begins
-- $4 text: its queue
-- $5 smallint: its priority
-- $6 bigint: that job
WITH looked AS MATERIALIZED (
    SELECT d.run_at, d.queue, d.priority, d.job_id FROM :"schema".deferred_jobs d
    WHERE d.state = $2::awa.job_state AND length(d.queue) <= 200
      AND (d.run_at, d.queue, d.priority, d.job_id) > ($3::timestamptz, $4::text, $5::smallint, $6::bigint)
    ORDER BY d.run_at, d.queue, d.priority, d.job_id
    LIMIT $1::integer
), counted AS (
    SELECT l.queue, $2::awa.job_state::text AS state, count(*) AS jobs FROM looked l GROUP BY l.queue
),
\ir ../parts/named.sql
, last AS (
    SELECT l.run_at, l.queue, l.priority, l.job_id FROM looked l
    ORDER BY l.run_at DESC, l.queue DESC, l.priority DESC, l.job_id DESC LIMIT 1
)
SELECT n.queues, n.states, n.jobs, (SELECT count(*) FROM looked) = $1::integer AS is_full,
       $2::awa.job_state AS state, l.run_at::text AS run_at, l.queue, l.priority, l.job_id
FROM (VALUES (1)) AS one LEFT JOIN named n ON true LEFT JOIN last l ON true
