-- operations/requeue: puts jobs that this transaction has taken out of a lane behind the end of another one, which it
-- has locked, counts them as done and wakes their queue. Neighbours that became due at one time share a segment,
-- whose time tells workers how old a lane is. What a job had at first stays in its metadata; one whose
-- metadata is no object is an error. Of the payload stays what Awa's clients know and is not empty.
-- $1 uuid: operation
-- $2 text: queue that they had
-- $3 integer: priority
-- $4 integer: shard
-- $5 bigint[]: numbers
-- $6 text: queue that they get
-- $7 integer: priority
-- $8 integer: shard
-- $9 boolean: whether the operation is about the queue
-- $10 boolean: whether it is about the priority
WITH ring AS MATERIALIZED (
    SELECT r.current_slot, r.generation FROM :"schema".queue_ring_state r LIMIT 1
), lane AS MATERIALIZED (
    SELECT :"schema".reserve_enqueue_seq($6::text, $7::integer::smallint, $8::integer::smallint, cardinality($5::bigint[])) AS first
), moving AS MATERIALIZED (
    SELECT r.*, l.first + a.place - 1 AS place, COALESCE(r.payload -> 'metadata', '{}') AS metadata
    FROM lane l CROSS JOIN unnest($5::bigint[]) WITH ORDINALITY AS a(lane_seq, place)
    CROSS JOIN LATERAL (SELECT r.* FROM :"schema".:"ready_entries_k" r
                        WHERE r.queue = $2::text AND r.priority = $3::integer AND r.enqueue_shard = $4::integer
                          AND r.lane_seq = a.lane_seq OFFSET 0) r
), ready AS (
    INSERT INTO :"schema".ready_entries (ready_slot, ready_generation, job_id, kind, queue, args, priority, attempt,
        run_lease, max_attempts, lane_seq, enqueue_shard, run_at, attempted_at, created_at, unique_key,
        unique_states, payload)
    SELECT r.current_slot, r.generation, m.job_id, m.kind, $6::text, m.args, $7::integer, m.attempt, m.run_lease,
           m.max_attempts, m.place, $8::integer, m.run_at, m.attempted_at, m.created_at, m.unique_key, m.unique_states, (
               SELECT jsonb_object_agg(p.key, p.value)
               FROM jsonb_each(COALESCE(m.payload, '{}') || jsonb_build_object('metadata',
                   CASE WHEN jsonb_typeof(m.metadata) = 'object' THEN jsonb_strip_nulls(jsonb_build_object(
                       '_awa_original_queue', CASE WHEN $9::boolean THEN m.queue END,
                       '_awa_original_priority', CASE WHEN $10::boolean THEN m.priority END)) || m.metadata
                   -- No number: the cast fails, and its message says why the item is errored.
                   ELSE to_jsonb(('metadata is no JSON object but ' || jsonb_typeof(m.metadata))::integer) END)) p
               WHERE p.value <> 'null' AND (p.key IN ('metadata', 'progress')
                   OR p.key IN ('tags', 'errors') AND p.value <> '[]'))
    FROM moving m CROSS JOIN ring r
), segment AS (
    INSERT INTO :"schema".ready_segments (ready_slot, ready_generation, queue, priority, enqueue_shard, first_lane_seq,
        next_lane_seq, first_run_at)
    SELECT r.current_slot, r.generation, $6::text, $7::integer, $8::integer, min(n.place), max(n.place) + 1, n.run_at
    FROM (SELECT m.place, m.run_at, m.place - row_number() OVER (PARTITION BY m.run_at ORDER BY m.place) AS island
          FROM moving m) n CROSS JOIN ring r
    GROUP BY r.current_slot, r.generation, n.run_at, n.island ORDER BY min(n.place)
), item AS (
    UPDATE awa.batch_operation_items i SET state = 'processed', processed_at = clock_timestamp()
    WHERE i.state = 'pending' AND i.ctid = ANY (ARRAY(SELECT n.ctid FROM moving m CROSS JOIN LATERAL (
        SELECT n.ctid FROM awa.batch_operation_items n
        WHERE n.operation_id = $1::uuid AND n.job_id = m.job_id AND n.state = 'pending' OFFSET 0) n))
    RETURNING i.job_id
), operation AS (
    UPDATE awa.batch_operations o
    SET processed = o.processed + (SELECT count(*) FROM item), updated_at = clock_timestamp() WHERE o.id = $1::uuid
)
SELECT count(pg_notify(n.name, '')) AS channels
FROM (SELECT DISTINCT 'awa:' || c.name AS name FROM (VALUES ($6::text), (regexp_replace($6::text, '#[0-9]+$', ''))) AS c(name)) n
WHERE octet_length(n.name) < 64
