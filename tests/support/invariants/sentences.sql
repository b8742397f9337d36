-- A sentence, and the statement whose rows break it; separated by empty lines.

-- an attempt is claimed once
SELECT job_id, run_lease FROM public.live_receipt GROUP BY 1, 2 HAVING count(*) > 1

-- an attempt ends once
SELECT job_id, run_lease FROM public.live_receipt WHERE closures > 1

-- closures of a claim slot are as many as its closed claims
SELECT s.slot FROM awa.claim_ring_slots s
WHERE (SELECT count(*) FROM public.live_receipt r WHERE r.claim_slot = s.slot AND r.closures = 1)
    <> (SELECT count(*) FROM awa.lease_claim_closures x WHERE x.claim_slot = s.slot)
     + (SELECT coalesce(sum(x.closed_count), 0) FROM awa.lease_claim_closure_batches x WHERE x.claim_slot = s.slot)

-- a compact claim is closed in the compact ledger
SELECT job_id FROM public.live_receipt WHERE NOT is_row AND row_closures > 0

-- the fence of a row-local claim stands where its closure does
SELECT job_id FROM public.live_receipt WHERE is_row AND row_closures > 0 AND closed_at IS DISTINCT FROM ended_at

-- a job is in one place
SELECT job_id, string_agg(state, ' and ') FROM public.live_place GROUP BY 1 HAVING count(*) > 1

-- state belongs to a living attempt
SELECT s.job_id, s.run_lease FROM awa.attempt_state s
WHERE NOT EXISTS (SELECT FROM public.live_receipt r
                  WHERE r.job_id = s.job_id AND r.run_lease = s.run_lease AND r.closures = 0)

-- a lease belongs to a living attempt
SELECT l.job_id, l.run_lease FROM awa.leases l
WHERE NOT EXISTS (SELECT FROM public.live_receipt r
                  WHERE r.job_id = l.job_id AND r.run_lease = l.run_lease AND r.closures = 0)

-- a job in a claiming state owns its key
SELECT p.job_id, p.state FROM public.live_place p
WHERE substr(p.unique_states, p.bit, 1) = '1'
  AND NOT EXISTS (SELECT FROM awa.job_unique_claims c WHERE c.unique_key = p.unique_key AND c.job_id = p.job_id)

-- a lane's numbers are given once
SELECT queue, priority, enqueue_shard, lane_seq FROM awa.ready_entries GROUP BY 1, 2, 3, 4 HAVING count(*) > 1

-- a ready row stands in one segment
SELECT e.job_id FROM awa.ready_entries e
WHERE (SELECT count(*) FROM awa.ready_segments s
       WHERE s.ready_slot = e.ready_slot AND s.ready_generation = e.ready_generation AND s.queue = e.queue
         AND s.priority = e.priority AND s.enqueue_shard = e.enqueue_shard
         AND e.lane_seq >= s.first_lane_seq AND e.lane_seq < s.next_lane_seq) <> 1

-- a canonical job is in one table
SELECT id FROM awa.jobs_hot JOIN awa.scheduled_jobs USING (id)
