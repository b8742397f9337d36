-- lanes/register: enters a lane in the registry and gives it its heads, where they are missing.
-- $1 text: queue
-- $2 integer: priority
-- $3 integer: shard
WITH lane AS (
    INSERT INTO :"schema".queue_lanes (queue, priority)
    VALUES ($1::text, $2::integer::smallint)
    ON CONFLICT DO NOTHING
), enqueue_head AS (
    INSERT INTO :"schema".queue_enqueue_heads (queue, priority, enqueue_shard)
    VALUES ($1::text, $2::integer::smallint, $3::integer::smallint)
    ON CONFLICT DO NOTHING
)
INSERT INTO :"schema".queue_claim_heads (queue, priority, enqueue_shard)
VALUES ($1::text, $2::integer::smallint, $3::integer::smallint)
ON CONFLICT DO NOTHING
