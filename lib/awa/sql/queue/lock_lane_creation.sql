-- queue/lock_lane_creation: keeps others from making the same lane until the transaction ends.
-- $1 text: queue
-- $2 integer: priority
-- $3 integer: shard
SELECT pg_advisory_xact_lock(hashtextextended(
    :'schema' || ':' || $1::text || ':' || $2::integer || ':' || $3::integer, 0))
