-- parts/close_receipts: closes those of the receipts in CTE receipt that are open, each in the ledger of its kind, and names
-- the jobs of all of them. (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
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
), compact AS (
    INSERT INTO :"schema".lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
        closed_count, receipt_ids, receipt_ranges)
    SELECT o.claim_slot, o.ready_slot, o.ready_generation, 'rescue', count(*),
           array_agg(o.receipt_id ORDER BY o.receipt_id), range_agg(int8range(o.receipt_id, o.receipt_id, '[]'))
    FROM open o WHERE NOT o.is_row GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
)
SELECT COALESCE(array_agg(DISTINCT r.job_id), '{}') AS jobs FROM receipt r
