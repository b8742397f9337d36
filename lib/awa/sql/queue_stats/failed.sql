-- queue_stats/failed: failed jobs that are still in the queue ring by queue, in a window along the key of all that have
-- ended there; and whether the window was full, and where it ended. No counts if the names of its queues are too
-- many bytes for a reply.
-- $1 integer: the most jobs to look at
-- $2 integer: slot of the job behind which the window begins
-- $3 text: its queue
-- $4 smallint: its priority
-- $5 smallint: its shard
-- $6 bigint: its number in the lane
WITH looked AS MATERIALIZED (
    SELECT d.ready_slot, d.queue, d.priority, d.enqueue_shard, d.lane_seq, d.state::text AS state
    FROM :"schema".done_entries d
    WHERE length(d.queue) <= 200 AND (d.ready_slot, d.queue, d.priority, d.enqueue_shard, d.lane_seq)
        > ($2::integer, $3::text, $4::smallint, $5::smallint, $6::bigint)
    ORDER BY d.ready_slot, d.queue, d.priority, d.enqueue_shard, d.lane_seq
    LIMIT $1::integer
), counted AS (
    SELECT l.queue, l.state, count(*) AS jobs FROM looked l WHERE l.state = 'failed' GROUP BY l.queue, l.state
),
\ir ../parts/named.sql
, last AS (
    SELECT l.ready_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq FROM looked l
    ORDER BY l.ready_slot DESC, l.queue DESC, l.priority DESC, l.enqueue_shard DESC, l.lane_seq DESC LIMIT 1
)
SELECT n.queues, n.states, n.jobs, (SELECT count(*) FROM looked) = $1::integer AS is_full,
       l.ready_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq
FROM (VALUES (1)) AS one LEFT JOIN named n ON true LEFT JOIN last l ON true
