-- registration/storage_move: how far the move from one storage to the other is, while one is under way or complete: the
-- engines, canonical jobs that are left, live processes by what they can work with, and whether Awa's next steps
-- would be taken.
-- $1 boolean: whether the tables of queue storage are there
SELECT s.state, s.current_engine,
       CASE WHEN s.state = 'prepared' THEN s.current_engine
            ELSE COALESCE(s.prepared_engine, s.current_engine) END AS active_engine,
       s.prepared_engine, left_over.jobs,
       live.canonical, live.canonical_drain_only, live.queue_storage,
       $1::boolean AND s.state = 'prepared' AND s.prepared_engine = 'queue_storage'
           AND live.canonical = 0 AND live.targets > 0 AS can_enter_mixed_transition,
       s.state = 'mixed_transition' AND s.prepared_engine = 'queue_storage'
           AND left_over.jobs = 0 AND live.canonical = 0 AS can_finalize
FROM awa.storage_transition_state s
CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM awa.jobs_hot j WHERE j.state NOT IN ('completed', 'failed', 'cancelled'))
         + (SELECT count(*) FROM awa.scheduled_jobs d) AS jobs
) AS left_over
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
