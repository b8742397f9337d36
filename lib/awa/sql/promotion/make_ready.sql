-- promotion/make_ready: moves deferred jobs into the open slot of the queue ring and wakes their queues.
-- One time for the whole batch, so that each lane gets one segment. Says how late each is, in
-- milliseconds.
-- $1 bigint[]: jobs, locked by this transaction
-- $2 integer[]: the shard of each, whose lane is locked by this transaction
WITH ring AS MATERIALIZED (
    SELECT r.current_slot, r.generation FROM :"schema".queue_ring_state r LIMIT 1
), moving AS MATERIALIZED (
    SELECT d.*, a.shard::smallint AS shard,
           row_number() OVER (PARTITION BY d.queue, d.priority ORDER BY d.run_at, d.job_id) - 1 AS place
    FROM unnest($1::bigint[], $2::integer[]) AS a(job_id, shard)
    CROSS JOIN LATERAL (SELECT d.* FROM :"schema".deferred_jobs d WHERE d.job_id = a.job_id OFFSET 0) d
), lane AS MATERIALIZED (
    SELECT l.*, :"schema".reserve_enqueue_seq(l.queue, l.priority, l.shard, l.jobs) AS first_seq
    FROM (SELECT m.queue, m.priority, m.shard, count(*) AS jobs FROM moving m
          GROUP BY m.queue, m.priority, m.shard ORDER BY m.queue, m.priority, m.shard) l
), gone AS (
    DELETE FROM :"schema".deferred_jobs d WHERE d.job_id = ANY ($1::bigint[])
), ready AS (
    INSERT INTO :"schema".ready_entries (ready_slot, ready_generation, job_id, kind, queue, args, priority,
        attempt, run_lease, max_attempts, lane_seq, enqueue_shard, run_at, attempted_at, created_at,
        unique_key, unique_states, payload)
    SELECT r.current_slot, r.generation, m.job_id, m.kind, m.queue, m.args, m.priority, m.attempt,
           m.run_lease, m.max_attempts, l.first_seq + m.place, m.shard, now(), m.attempted_at,
           m.created_at, m.unique_key, m.unique_states, NULLIF(m.payload, '{}'::jsonb)
    FROM moving m JOIN lane l ON l.queue = m.queue AND l.priority = m.priority CROSS JOIN ring r
    ORDER BY m.queue, m.priority, m.place
), segment AS (
    INSERT INTO :"schema".ready_segments (ready_slot, ready_generation, queue, priority, enqueue_shard,
        first_lane_seq, next_lane_seq, first_run_at)
    SELECT r.current_slot, r.generation, l.queue, l.priority, l.shard, l.first_seq,
           l.first_seq + l.jobs, now()
    FROM lane l CROSS JOIN ring r
), channel AS (
    SELECT DISTINCT 'awa:' || n.name AS name
    FROM lane l
    CROSS JOIN LATERAL (VALUES (l.queue), (regexp_replace(l.queue, '#[0-9]+$', ''))) AS n(name)
)
SELECT (SELECT array_agg(LEAST(1e9, 1e3 * extract(epoch FROM clock_timestamp() - GREATEST(
            m.run_at, now() - interval '1 year')))::integer) FROM moving m) AS late,
       (SELECT count(pg_notify(c.name, '')) FROM channel c WHERE octet_length(c.name) < 64) AS channels
