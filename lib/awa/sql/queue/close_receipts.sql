-- queue/close_receipts: closes the open receipts of leases that this transaction has ended, each in
-- the ledger of its kind. Of compact batches only those of the attempts' ready slots are opened.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
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
\ir ../parts/closed.sql
, open AS MATERIALIZED (
    SELECT r.* FROM receipt r
    WHERE r.receipt_id NOT IN (SELECT c.receipt_id FROM closed c)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x WHERE x.claim_slot = r.claim_slot
                      AND x.job_id = r.job_id AND x.run_lease = r.run_lease OFFSET 0)
), closure AS (
    INSERT INTO :"schema".lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at)
    SELECT o.claim_slot, o.job_id, o.run_lease, 'rescue', statement_timestamp()
    FROM open o WHERE o.is_row ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING RETURNING claim_slot, job_id, run_lease
), fence AS (
    UPDATE :"schema".lease_claims c SET closed_at = statement_timestamp()
    WHERE c.job_id = ANY ($1::bigint[]) AND c.run_lease = ANY ($2::bigint[])
      AND ((c.claim_slot, c.job_id, c.run_lease) IN (
          SELECT x.claim_slot, x.job_id, x.run_lease FROM closure x)) IS TRUE
)
INSERT INTO :"schema".lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
    closed_count, receipt_ids, receipt_ranges)
SELECT o.claim_slot, o.ready_slot, o.ready_generation, 'rescue', count(*),
       array_agg(o.receipt_id ORDER BY o.receipt_id), range_agg(int8range(o.receipt_id, o.receipt_id, '[]'))
FROM open o WHERE NOT o.is_row GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
