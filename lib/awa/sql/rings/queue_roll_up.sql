-- rings/queue_roll_up: adds what a sealed slot holds of finished jobs to the counts that outlive it.
WITH ended AS (
    SELECT d.queue, d.priority, d.state <> 'failed' AS is_completed, count(*) AS jobs
    FROM :"schema".:"done_entries_k" d GROUP BY 1, 2, 3
    UNION ALL
    SELECT b.queue, b.priority, true, count(*)
    FROM :"schema".:"receipt_completion_batches_k" b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases) AS i(job_id, run_lease)
    WHERE NOT EXISTS (SELECT FROM :"schema".:"receipt_completion_tombstones_k" t
                      WHERE t.ready_generation = b.ready_generation AND t.job_id = i.job_id
                        AND t.run_lease = i.run_lease)
    GROUP BY 1, 2
)
INSERT INTO :"schema".queue_terminal_rollups AS r (queue, priority, pruned_completed_count, pruned_failed_count)
SELECT e.queue, e.priority, COALESCE(sum(e.jobs) FILTER (WHERE e.is_completed), 0),
       COALESCE(sum(e.jobs) FILTER (WHERE NOT e.is_completed), 0)
FROM ended e GROUP BY e.queue, e.priority ORDER BY e.queue, e.priority
ON CONFLICT (queue, priority) DO UPDATE
SET pruned_completed_count = GREATEST(0, r.pruned_completed_count + EXCLUDED.pruned_completed_count),
    pruned_failed_count = GREATEST(0, r.pruned_failed_count + EXCLUDED.pruned_failed_count)
