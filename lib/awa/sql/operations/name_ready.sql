-- operations/name_ready: names those of the next jobs of a lane in one slot that the filter of a batch operation matches and
-- nobody has claimed. Says as well whether there may be more of them, and the last number looked at.
-- $1 uuid: operation
-- $2 text: queue
-- $3 integer: priority
-- $4 integer: shard
-- $5 bigint: the first number
-- $6 bigint: the number behind the last
-- $7 integer: the most jobs to look at
WITH operation AS MATERIALIZED (
    SELECT o.filter, o.started_at FROM awa.batch_operations o WHERE o.id = $1::uuid
), ids AS MATERIALIZED (
    SELECT (i.id)::numeric AS id FROM operation o
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(o.filter -> 'ids') WHEN 'array' THEN o.filter -> 'ids' ELSE '[]' END) AS i(id)
), claimed AS MATERIALIZED (
    SELECT :"schema".sequence_next_value(c.seq_name) AS next FROM :"schema".queue_claim_heads c
    WHERE c.queue = $2::text AND c.priority = $3::integer AND c.enqueue_shard = $4::integer
), seen AS MATERIALIZED (
    SELECT r.* FROM :"schema".:"ready_entries_k" r
    WHERE r.queue = $2::text AND r.priority = $3::integer
      AND r.enqueue_shard = $4::integer AND r.lane_seq >= $5::bigint AND r.lane_seq < $6::bigint
    ORDER BY r.lane_seq LIMIT $7::integer
), matching AS (
    SELECT s.job_id AS job FROM seen s CROSS JOIN operation o
    WHERE s.lane_seq >= (SELECT c.next FROM claimed c)
      AND s.created_at <= o.started_at
      AND (o.filter ->> 'kind' IS NULL OR s.kind = o.filter ->> 'kind')
      AND (o.filter ->> 'queue' IS NULL OR s.queue = o.filter ->> 'queue')
      AND (o.filter ->> 'tag' IS NULL OR s.payload -> 'tags' ? (o.filter ->> 'tag'))
      AND (o.filter ->> 'state' IS NULL OR o.filter ->> 'state' = 'available')
      AND (o.filter ->> 'created_at_gte' IS NULL OR s.created_at >= (o.filter ->> 'created_at_gte')::timestamptz)
      AND (o.filter ->> 'created_at_lt' IS NULL OR s.created_at < (o.filter ->> 'created_at_lt')::timestamptz)
      AND (COALESCE(o.filter -> 'ids', 'null') = 'null' OR s.job_id IN (SELECT i.id FROM ids i))
      AND NOT EXISTS (SELECT FROM :"schema".:"ready_tombstones_k" t
          WHERE t.queue = s.queue AND t.priority = s.priority
            AND t.enqueue_shard = s.enqueue_shard AND t.lane_seq = s.lane_seq
            AND t.ready_generation = s.ready_generation OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".:"ready_claim_attempt_batches_k" b
          WHERE b.ready_generation = s.ready_generation AND b.queue = s.queue
            AND b.priority = s.priority AND b.enqueue_shard = s.enqueue_shard
            AND b.next_lane_seq > s.lane_seq AND b.lane_ranges @> s.lane_seq OFFSET 0)
)
SELECT (SELECT count(*) = $7::integer FROM seen) AS is_full, (SELECT max(s.lane_seq) FROM seen s) AS last,
       COALESCE(array_agg(m.job ORDER BY m.job), '{}') AS jobs
FROM matching m
