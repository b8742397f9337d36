-- queue_stats/leases: attempts with a lease by queue and state, in a window along their key; and whether the window was
-- full, and where it ended. No counts if the names of its queues are too many bytes for a reply.
-- $1 integer: the most leases to count
-- $2 integer: slot of the lease behind which the window begins
-- $3 text: its queue
-- $4 smallint: its priority
-- $5 smallint: its shard
-- $6 bigint: its number in the lane
WITH looked AS MATERIALIZED (
    SELECT l.lease_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq, l.state::text AS state
    FROM :"schema".leases l
    WHERE length(l.queue) <= 200 AND (l.lease_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq)
        > ($2::integer, $3::text, $4::smallint, $5::smallint, $6::bigint)
    ORDER BY l.lease_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq
    LIMIT $1::integer
), counted AS (
    SELECT l.queue, l.state, count(*) AS jobs FROM looked l GROUP BY l.queue, l.state
),
\ir ../parts/named.sql
, last AS (
    SELECT l.lease_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq FROM looked l
    ORDER BY l.lease_slot DESC, l.queue DESC, l.priority DESC, l.enqueue_shard DESC, l.lane_seq DESC LIMIT 1
)
SELECT n.queues, n.states, n.jobs, (SELECT count(*) FROM looked) = $1::integer AS is_full,
       l.lease_slot, l.queue, l.priority, l.enqueue_shard, l.lane_seq
FROM (VALUES (1)) AS one LEFT JOIN named n ON true LEFT JOIN last l ON true
