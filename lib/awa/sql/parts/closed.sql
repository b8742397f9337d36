-- parts/closed: which of the receipts in CTE receipt are closed in the compact ledger; only batches of closures whose
-- ranges meet theirs are opened.
closed AS MATERIALIZED (
    SELECT u.receipt_id
    FROM (SELECT r.claim_slot, range_agg(int8range(r.receipt_id, r.receipt_id, '[]')) AS ids
          FROM receipt r GROUP BY r.claim_slot) s
    CROSS JOIN LATERAL (SELECT x.receipt_ids FROM :"schema".lease_claim_closure_batches x
                        WHERE x.claim_slot = s.claim_slot AND x.receipt_ranges && s.ids OFFSET 0) x
    CROSS JOIN LATERAL unnest(x.receipt_ids) AS u(receipt_id)
)
