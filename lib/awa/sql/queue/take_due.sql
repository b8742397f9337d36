-- queue/take_due: locks the first due jobs of one state, and their lanes as far as nobody holds them.
-- A lane that is locked by a producer has no shard; one that does not exist yet has no head.
-- Who is left out is one CASE, which the planner takes for half of the jobs: with the conditions side
-- by side it takes next to none to be left, and reads and sorts the whole backlog for every batch.
-- $1 awa.job_state: scheduled or retryable
-- $2 integer: the most jobs to take, a thousand at most
-- $3 text[]: lanes to leave out, as priority:queue
-- $4 bigint[]: jobs to leave out
-- $5 bigint[]: only these jobs; NULL for any
-- $6 integer: the shard of a queue to try first
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), first_due AS MATERIALIZED (
    SELECT d.job_id, d.run_at FROM :"schema".deferred_jobs d
    WHERE d.state = $1::awa.job_state AND d.run_at <= now() AND EXISTS (SELECT FROM routing)
      AND CASE WHEN d.queue = ANY (ARRAY(SELECT m.queue FROM awa.queue_meta m WHERE m.paused)) THEN false
               WHEN d.priority || ':' || d.queue = ANY ($3::text[]) THEN false
               WHEN d.job_id = ANY ($4::bigint[]) THEN false
               ELSE $5::bigint[] IS NULL OR d.job_id = ANY ($5::bigint[]) END
    ORDER BY d.run_at, d.queue, d.priority, d.job_id LIMIT 1000
), due AS MATERIALIZED (
    SELECT d.job_id, d.queue, d.priority, d.run_at
    FROM (SELECT f.job_id FROM first_due f ORDER BY f.run_at LIMIT $2::integer) f
    JOIN :"schema".deferred_jobs d ON d.job_id = f.job_id
    WHERE d.state = $1::awa.job_state AND d.run_at <= now()
    FOR UPDATE OF d SKIP LOCKED
), lanes AS MATERIALIZED (
    SELECT d.queue, d.priority,
           array_agg(d.job_id ORDER BY d.run_at, d.job_id) AS jobs,
           array_agg(LEAST(1e9, 1e3 * extract(epoch FROM clock_timestamp() - GREATEST(
               d.run_at, now() - interval '1 year')))::integer ORDER BY d.run_at, d.job_id) AS late
    FROM due d GROUP BY d.queue, d.priority LIMIT 250
)
SELECT l.priority || ':' || l.queue, l.queue, l.priority, l.jobs, l.late, head.enqueue_shard,
       EXISTS (SELECT FROM :"schema".queue_enqueue_heads h
               WHERE h.queue = l.queue AND h.priority = l.priority) AS has_head
FROM lanes l
LEFT JOIN LATERAL (
    SELECT h.enqueue_shard
    FROM (SELECT h.enqueue_shard, h.seq_name FROM :"schema".queue_enqueue_heads h
          WHERE h.queue = l.queue AND h.priority = l.priority AND h.enqueue_shard < COALESCE(
              (SELECT m.enqueue_shards FROM awa.queue_meta m WHERE m.queue = l.queue), 1)
          ORDER BY (h.enqueue_shard + $6::integer) % 64
          OFFSET 0) h
    WHERE pg_try_advisory_xact_lock(hashtextextended(
        format('%I.%I', :'schema', h.seq_name), 0))
    LIMIT 1) head ON true
ORDER BY l.queue, l.priority
