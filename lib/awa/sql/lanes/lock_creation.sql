-- lanes/lock_creation: keeps others from making the same lane until the transaction ends.
-- The transition row is locked first, if there is one.
-- $1 text: queue
-- $2 integer: priority
-- $3 integer: shard
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
)
SELECT pg_advisory_xact_lock(hashtextextended(
    :'schema' || ':' || $1::text || ':' || $2::integer || ':' || $3::integer, 0))
FROM (SELECT count(*) FROM routing) first
