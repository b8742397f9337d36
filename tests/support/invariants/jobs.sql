-- Of jobs and their keys: a sentence, and the statement whose rows break it; separated by empty lines.

-- a job is in one place
SELECT job_id, string_agg(place, ' and ') FROM public.live_place
GROUP BY place IN ('hot', 'later'), job_id HAVING count(*) > 1

-- no job is lost
-- A ready row outlives whatever has become of its job since: slots are pruned in their order.
SELECT e.job_id, e.run_lease FROM awa.ready_entries e
WHERE NOT EXISTS (SELECT FROM public.live_place p WHERE p.job_id = e.job_id AND p.place NOT IN ('hot', 'later'))
  AND NOT EXISTS (SELECT FROM awa.ready_tombstones t
                  WHERE t.ready_slot = e.ready_slot AND t.ready_generation = e.ready_generation AND t.queue = e.queue
                    AND t.priority = e.priority AND t.enqueue_shard = e.enqueue_shard AND t.lane_seq = e.lane_seq)
  AND NOT EXISTS (SELECT FROM awa.receipt_completion_tombstones t
                  WHERE t.ready_slot = e.ready_slot AND t.ready_generation = e.ready_generation
                    AND t.job_id = e.job_id AND t.run_lease = e.run_lease + 1)

-- a job in a claiming state owns its key
-- But for one that was cancelled because its key was taken.
SELECT p.job_id, p.place, p.state FROM public.live_place p
WHERE p.claims_key AND p.state <> 'cancelled'
  AND NOT EXISTS (SELECT FROM awa.job_unique_claims c WHERE c.unique_key = p.unique_key AND c.job_id = p.job_id)

-- a key belongs to a job in a claiming state
SELECT c.job_id, string_agg(p.state::text, ' and ')
FROM awa.job_unique_claims c JOIN public.live_place p USING (job_id, unique_key)
GROUP BY c.job_id, c.unique_key HAVING NOT bool_or(p.claims_key)

-- keys of jobs that are gone are no more than those pruned
-- Nobody takes a key away with its job then.
SELECT count(*), min(c.job_id) FROM awa.job_unique_claims c
WHERE NOT EXISTS (SELECT FROM public.live_place p WHERE p.job_id = c.job_id AND p.unique_key = c.unique_key)
HAVING count(*) > (SELECT coalesce(sum(pruned_completed_count + pruned_failed_count), 0)
                   FROM awa.queue_terminal_rollups)
