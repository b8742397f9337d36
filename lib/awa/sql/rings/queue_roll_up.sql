-- rings/queue_roll_up: adds what a sealed slot holds of finished jobs to the counts that outlive it.
-- Compact completions are counted by their batches; only those that were deleted are looked for one by one.
WITH ended AS (
    SELECT d.queue, d.priority, count(*) FILTER (WHERE d.state <> 'failed') AS completed,
           count(*) FILTER (WHERE d.state = 'failed') AS failed
    FROM :"schema".:"done_entries_k" d GROUP BY d.queue, d.priority
    UNION ALL
    SELECT b.queue, b.priority, sum(b.completed_count), 0
    FROM :"schema".:"receipt_completion_batches_k" b GROUP BY b.queue, b.priority
    UNION ALL
    SELECT b.queue, b.priority, -count(*) FILTER (WHERE (b.ready_generation, i.job_id, i.run_lease) IN (
               SELECT t.ready_generation, t.job_id, t.run_lease
               FROM :"schema".:"receipt_completion_tombstones_k" t)), 0
    FROM :"schema".:"receipt_completion_batches_k" b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases) AS i(job_id, run_lease)
    WHERE EXISTS (SELECT FROM :"schema".:"receipt_completion_tombstones_k")
    GROUP BY b.queue, b.priority
)
INSERT INTO :"schema".queue_terminal_rollups AS r (queue, priority, pruned_completed_count, pruned_failed_count)
SELECT e.queue, e.priority, GREATEST(0, sum(e.completed)), GREATEST(0, sum(e.failed))
FROM ended e GROUP BY e.queue, e.priority
HAVING sum(e.completed) > 0 OR sum(e.failed) > 0
ORDER BY e.queue, e.priority
ON CONFLICT (queue, priority) DO UPDATE
SET pruned_completed_count = GREATEST(0, r.pruned_completed_count + EXCLUDED.pruned_completed_count),
    pruned_failed_count = GREATEST(0, r.pruned_failed_count + EXCLUDED.pruned_failed_count)
