-- rescue/close_receipts: closes the open receipts of leases that this transaction has ended, and names the jobs whose
-- receipts it has found. A lease began when its batch was claimed: of compact batches only those of that moment are opened,
-- however many the ready slot has.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
WITH attempt AS MATERIALIZED (
    SELECT a.job_id, a.run_lease, a.slot, a.generation, 'epoch'::timestamptz + a.began * interval '1 us' AS began_at
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS a(job_id, run_lease, slot, generation, began)
), receipt AS MATERIALIZED (
    SELECT c.claim_slot, c.ready_slot, c.ready_generation, c.job_id, c.run_lease, c.receipt_id, true AS is_row
    FROM attempt a
    CROSS JOIN LATERAL (SELECT c.* FROM :"schema".lease_claims c
                        WHERE c.job_id = a.job_id AND c.run_lease = a.run_lease OFFSET 0) c
    WHERE c.closed_at IS NULL
    UNION ALL
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, i.job_id, i.run_lease, i.receipt_id, false
    FROM (SELECT DISTINCT a.began_at FROM attempt a) p
    CROSS JOIN LATERAL (SELECT b.* FROM :"schema".lease_claim_batches b WHERE b.claimed_at = p.began_at OFFSET 0) b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    WHERE ((b.ready_slot::bigint, b.ready_generation, i.job_id, i.run_lease) IN (
        SELECT a.slot, a.generation, a.job_id, a.run_lease FROM attempt a)) IS TRUE
),
\ir ../parts/close_receipts.sql
