-- operations/lock_lanes: keeps workers from claiming in one lane, and producers from another, until the
-- transaction ends; neither is waited for. Says whether the one is ours, whether the other exists, and which of
-- its shards is ours.
-- $1 text: queue to move jobs from
-- $2 integer: its priority
-- $3 integer: its shard
-- $4 text: queue to move them to
-- $5 integer: its priority
-- $6 integer: the shard of that queue to try first
WITH source AS MATERIALIZED (
    SELECT c.queue FROM :"schema".queue_claim_heads c
    WHERE c.queue = $1::text AND c.priority = $2::integer AND c.enqueue_shard = $3::integer
    FOR UPDATE SKIP LOCKED
), head AS MATERIALIZED (
    SELECT h.enqueue_shard, h.seq_name, (h.enqueue_shard + $6::integer) % m.shards AS place
    FROM :"schema".queue_enqueue_heads h
    CROSS JOIN (SELECT COALESCE(max(m.enqueue_shards), 1) AS shards FROM awa.queue_meta m WHERE m.queue = $4::text) m
    WHERE h.queue = $4::text AND h.priority = $5::integer AND h.seq_name IS NOT NULL AND h.enqueue_shard < m.shards
), target AS MATERIALIZED (
    SELECT f.enqueue_shard FROM (SELECT h.enqueue_shard, h.seq_name FROM head h ORDER BY h.place OFFSET 0) f
    WHERE EXISTS (SELECT FROM source)
      AND pg_try_advisory_xact_lock(hashtextextended(format('%I.%I', :'schema', f.seq_name), 0))
    LIMIT 1
)
SELECT EXISTS (SELECT FROM source) AS is_source_ours, EXISTS (SELECT FROM head) AS has_target,
       (SELECT t.enqueue_shard FROM target t) AS shard
