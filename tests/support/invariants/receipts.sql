-- The claims of queue storage whose claims leave receipts, for the views beside this file.

-- Every claim of both kinds, with the number of its closures in both ledgers, and how it ended.
CREATE VIEW public.live_receipt AS
SELECT c.*, coalesce(x.n, 0) + coalesce(b.n, 0) AS closures, coalesce(x.n, 0) AS row_closures, x.closed_at AS ended_at,
       coalesce(x.outcome, b.outcome) AS outcome
FROM (SELECT true AS is_row, claim_slot, receipt_id, job_id, run_lease, ready_slot, ready_generation, queue, priority,
             attempt, max_attempts, lane_seq, enqueue_shard, claimed_at, closed_at
      FROM awa.lease_claims
      UNION ALL
      SELECT false, claim_slot, i.receipt, i.job, i.lease, ready_slot, ready_generation, queue, priority,
             i.attempt, i.most, i.seq, enqueue_shard, claimed_at, NULL
      FROM awa.lease_claim_batches, unnest(job_ids, run_leases, receipt_ids, attempts, max_attempts, lane_seqs)
           i(job, lease, receipt, attempt, most, seq)) c
LEFT JOIN (SELECT claim_slot, job_id, run_lease, count(*) AS n, max(closed_at) AS closed_at, max(outcome) AS outcome
           FROM awa.lease_claim_closures GROUP BY 1, 2, 3) x USING (claim_slot, job_id, run_lease)
LEFT JOIN (SELECT claim_slot, receipt AS receipt_id, count(*) AS n, max(outcome) AS outcome
           FROM awa.lease_claim_closure_batches, unnest(receipt_ids) receipt GROUP BY 1, 2) b
    USING (claim_slot, receipt_id);
