-- parts/not_ended: that receipt r is closed in neither ledger, no lease owns its attempt, and its job stands nowhere as
-- it does after that attempt; CTE closed comes from parts/closed.
r.receipt_id NOT IN (SELECT c.receipt_id FROM closed c)
AND NOT EXISTS (SELECT FROM :"schema".leases l WHERE l.job_id = r.job_id AND l.run_lease = r.run_lease OFFSET 0)
AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = r.claim_slot
                AND x.job_id = r.job_id AND x.run_lease = r.run_lease OFFSET 0)
AND NOT EXISTS (SELECT FROM :"schema".done_entries d WHERE d.job_id = r.job_id AND d.run_lease = r.run_lease OFFSET 0)
AND NOT EXISTS (SELECT FROM :"schema".deferred_jobs d WHERE d.job_id = r.job_id AND d.run_lease = r.run_lease OFFSET 0)
AND NOT EXISTS (SELECT FROM :"schema".dlq_entries d WHERE d.job_id = r.job_id AND d.run_lease = r.run_lease OFFSET 0)
