-- queue_stats/dead_letters: dead letters by queue, in a window along the index of their queues and times, the youngest of
-- a queue first; and whether the window was full, and where it ended. Letters of one time are told apart by nothing
-- in that index, so the next window passes over those that were counted. No counts if the names of its queues are
-- too many bytes for a reply.
-- $1 integer: the most letters to count
-- $2 text: the queue in which the window begins
-- $3 timestamp with time zone: the time at which it begins there
-- $4 integer: how many of that queue and time to pass over
WITH looked AS MATERIALIZED (
    SELECT w.queue, w.dlq_at
    FROM ((SELECT d.queue, d.dlq_at FROM :"schema".dlq_entries d
           WHERE d.queue = $2::text AND d.dlq_at <= $3::timestamptz AND length(d.queue) <= 200
           ORDER BY d.queue, d.dlq_at DESC OFFSET $4::integer LIMIT $1::integer)
          UNION ALL
          (SELECT d.queue, d.dlq_at FROM :"schema".dlq_entries d
           WHERE d.queue > $2::text AND length(d.queue) <= 200 ORDER BY d.queue, d.dlq_at DESC LIMIT $1::integer)) w
    LIMIT $1::integer
), counted AS (
    SELECT l.queue, 'dead_letter' AS state, count(*) AS jobs FROM looked l GROUP BY l.queue
),
\ir ../parts/named.sql
, last AS (
    SELECT l.queue, l.dlq_at FROM looked l ORDER BY l.queue DESC, l.dlq_at LIMIT 1
)
SELECT n.queues, n.states, n.jobs, (SELECT count(*) FROM looked) = $1::integer AS is_full, l.queue, l.dlq_at::text AS dlq_at,
       (SELECT count(*) FROM looked k WHERE k.queue = l.queue AND k.dlq_at = l.dlq_at)
     + CASE WHEN l.queue = $2::text AND l.dlq_at = $3::timestamptz THEN $4::integer ELSE 0 END AS passed
FROM (VALUES (1)) AS one LEFT JOIN named n ON true LEFT JOIN last l ON true
