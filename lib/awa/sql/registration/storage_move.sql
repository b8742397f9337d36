-- registration/storage_move: how far the move from one storage to the other is, while one is under way or complete: the
-- engines, canonical jobs that are left, live processes by what they can work with, and whether Awa's next steps
-- would be taken. Finished jobs may lie beside them in any number, so those that are left are found along indexes.
-- More than 50,000 are not counted but are as many as Awa's own counts say.
-- $1 boolean: whether the tables of queue storage are there
WITH RECURSIVE kind AS (
    (SELECT j.kind, 1 AS place FROM awa.jobs_hot j ORDER BY j.kind LIMIT 1)
    UNION ALL
    SELECT n.kind, k.place + 1
    FROM kind k CROSS JOIN LATERAL (SELECT j.kind FROM awa.jobs_hot j WHERE j.kind > k.kind ORDER BY j.kind LIMIT 1) n
    WHERE k.place < 5000
), counted AS MATERIALIZED (
    SELECT count(*) AS jobs
    FROM ((SELECT d.id FROM awa.scheduled_jobs d ORDER BY d.id LIMIT 50000)
          UNION ALL
          (SELECT a.id FROM awa.jobs_hot a WHERE a.state = 'available' ORDER BY a.queue, a.priority, a.run_at, a.id LIMIT 50000)
          UNION ALL
          (SELECT NULL FROM kind k CROSS JOIN LATERAL (
               SELECT FROM awa.jobs_hot j
               WHERE j.kind = k.kind
                 AND j.state IN ('scheduled', 'running', 'retryable', 'waiting_external') OFFSET 0) j)
          LIMIT 50000) c
), left_over AS MATERIALIZED (
    SELECT CASE WHEN c.jobs < 50000 AND NOT EXISTS (SELECT FROM kind k WHERE k.place = 5000) THEN c.jobs
                ELSE GREATEST(c.jobs, (SELECT sum(q.scheduled + q.available + q.running + q.retryable + q.waiting_external)
                                       FROM awa.queue_state_counts q)) END::bigint AS jobs
    FROM counted c
)
SELECT s.state, s.current_engine,
       CASE WHEN s.state = 'prepared' THEN s.current_engine
            ELSE COALESCE(s.prepared_engine, s.current_engine) END AS active_engine,
       s.prepared_engine, (SELECT l.jobs FROM left_over l) AS jobs,
       live.canonical, live.canonical_drain_only, live.queue_storage,
       $1::boolean AND s.state = 'prepared' AND s.prepared_engine = 'queue_storage'
           AND live.canonical = 0 AND live.targets > 0 AS can_enter_mixed_transition,
       s.state = 'mixed_transition' AND s.prepared_engine = 'queue_storage'
           AND (SELECT l.jobs FROM left_over l) = 0 AND live.canonical = 0 AS can_finalize
FROM awa.storage_transition_state s
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE r.storage_capability = 'canonical') AS canonical,
           count(*) FILTER (WHERE r.storage_capability = 'canonical_drain_only') AS canonical_drain_only,
           count(*) FILTER (WHERE r.storage_capability = 'queue_storage') AS queue_storage,
           count(*) FILTER (WHERE r.storage_capability = 'queue_storage'
                              AND r.transition_role = 'queue_storage_target') AS targets
    FROM awa.runtime_instances r
    WHERE r.last_seen_at >= now() - GREATEST(interval '30 s',
        3 * LEAST(GREATEST(r.snapshot_interval_ms, 0), 86400000) * interval '1 ms')
) AS live
WHERE s.singleton AND s.state <> 'canonical'
