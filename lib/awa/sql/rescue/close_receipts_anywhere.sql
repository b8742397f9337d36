-- rescue/close_receipts_anywhere: what rescue/close_receipts does, for attempts of which it has found nothing, so that they have
-- no open receipt of their own: all compact batches of their ready slots are opened.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
WITH attempt AS MATERIALIZED (
    SELECT a.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
        AS a(job_id, run_lease, slot, generation)
), receipt AS MATERIALIZED (
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, i.job_id, i.run_lease, i.receipt_id, false AS is_row
    FROM (SELECT DISTINCT a.slot, a.generation FROM attempt a) p
    CROSS JOIN LATERAL (SELECT b.* FROM :"schema".lease_claim_batches b
                        WHERE b.ready_slot = p.slot AND b.ready_generation = p.generation OFFSET 0) b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    WHERE ((i.job_id, i.run_lease) IN (SELECT a.job_id, a.run_lease FROM attempt a)) IS TRUE
),
\ir ../parts/close_receipts.sql
