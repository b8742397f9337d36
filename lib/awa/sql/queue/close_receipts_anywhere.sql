-- queue/close_receipts_anywhere: the same as queue/close_receipts for attempts whose receipts were not found by their time: all
-- compact batches of their ready slots are opened.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
WITH attempt AS MATERIALIZED (
    SELECT a.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
        AS a(job_id, run_lease, slot, generation)
), receipt AS MATERIALIZED (
    SELECT c.claim_slot, c.ready_slot, c.ready_generation, c.job_id, c.run_lease, c.receipt_id, true AS is_row
    FROM attempt a
    CROSS JOIN LATERAL (SELECT c.* FROM :"schema".lease_claims c
                        WHERE c.job_id = a.job_id AND c.run_lease = a.run_lease OFFSET 0) c
    WHERE c.closed_at IS NULL
    UNION ALL
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, i.job_id, i.run_lease, i.receipt_id, false
    FROM (SELECT DISTINCT a.slot, a.generation FROM attempt a) p
    CROSS JOIN LATERAL (SELECT b.* FROM :"schema".lease_claim_batches b
                        WHERE b.ready_slot = p.slot AND b.ready_generation = p.generation OFFSET 0) b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    WHERE ((i.job_id, i.run_lease) IN (SELECT a.job_id, a.run_lease FROM attempt a)) IS TRUE
),
\ir ../parts/close_receipts.sql
