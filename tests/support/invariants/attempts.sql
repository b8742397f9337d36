-- Of attempts: a sentence, and the statement whose rows break it; separated by empty lines.

-- an attempt is claimed once
SELECT job_id, run_lease FROM public.live_receipt GROUP BY 1, 2 HAVING count(*) > 1

-- an attempt ends once
SELECT job_id, run_lease FROM public.live_receipt WHERE closures > 1

-- closures of a claim slot are as many as its closed claims
SELECT s.slot FROM awa.claim_ring_slots s
WHERE (SELECT count(*) FROM public.live_receipt r WHERE r.claim_slot = s.slot AND r.closures = 1)
    <> (SELECT count(*) FROM awa.lease_claim_closures x WHERE x.claim_slot = s.slot)
     + (SELECT coalesce(sum(x.closed_count), 0) FROM awa.lease_claim_closure_batches x WHERE x.claim_slot = s.slot)

-- closures of a ready slot are as many as its closed claims
SELECT c.ready_slot, c.ready_generation, sum(c.n)
FROM (SELECT ready_slot, ready_generation, 1 AS n FROM public.live_receipt WHERE closures > 0
      UNION ALL
      SELECT c.ready_slot, c.ready_generation, -1
      FROM awa.lease_claim_closures x JOIN awa.lease_claims c USING (claim_slot, job_id, run_lease)
      UNION ALL
      SELECT ready_slot, ready_generation, -closed_count FROM awa.lease_claim_closure_batches) c
GROUP BY 1, 2 HAVING sum(c.n) <> 0

-- the ranges of a batch are those of its receipts
SELECT b.ledger, b.claim_slot, b.batch_id
FROM (SELECT 'claims' AS ledger, claim_slot, batch_id, receipt_ids, receipt_ranges FROM awa.lease_claim_batches
      UNION ALL
      SELECT 'closures', claim_slot, batch_id, receipt_ids, receipt_ranges FROM awa.lease_claim_closure_batches) b
WHERE b.receipt_ranges <> (SELECT range_agg(int8range(i, i, '[]')) FROM unnest(b.receipt_ids) i)

-- a compact claim is closed in the compact ledger
SELECT job_id FROM public.live_receipt WHERE NOT is_row AND row_closures > 0

-- the fence of a row-local claim stands where its closure does
SELECT job_id FROM public.live_receipt WHERE is_row AND row_closures > 0 AND closed_at IS DISTINCT FROM ended_at

-- state belongs to a living attempt
SELECT s.job_id, s.run_lease FROM awa.attempt_state s
WHERE NOT EXISTS (SELECT FROM public.live_receipt r
                  WHERE r.job_id = s.job_id AND r.run_lease = s.run_lease AND r.closures = 0)

-- a lease belongs to a living attempt
SELECT l.job_id, l.run_lease FROM awa.leases l
WHERE NOT EXISTS (SELECT FROM public.live_receipt r
                  WHERE r.job_id = l.job_id AND r.run_lease = l.run_lease AND r.closures = 0)

-- a job has the run_lease of its last claim
SELECT p.job_id, p.place, p.run_lease, r.run_lease
FROM public.live_place p
JOIN (SELECT job_id, max(run_lease) AS run_lease FROM public.live_receipt GROUP BY 1) r USING (job_id)
WHERE p.place NOT IN ('hot', 'later') AND p.run_lease <> r.run_lease

-- a rescued job keeps its attempt
SELECT p.job_id, p.place, p.attempt, r.attempt
FROM public.live_place p JOIN public.live_receipt r USING (job_id, run_lease)
WHERE p.place NOT IN ('hot', 'later') AND p.attempt <> r.attempt
  AND r.outcome IN ('rescued', 'rescue', 'deadline_expired')
