-- rings/claim_look: where the claim ring stands, what keeps it from turning, and what may be pruned.
-- Then come: current slot and generation, whether any slot has a row, the oldest sealed slot and its
-- generation, and whether the next slot still has: claims of both kinds, closures, closure batches.
WITH ring AS MATERIALIZED (
    SELECT s.current_slot, s.generation, s.slot_count, (s.current_slot + 1) % s.slot_count AS next
    FROM :"schema".claim_ring_state s LIMIT 1
)
SELECT r.current_slot, r.generation,
       EXISTS (SELECT FROM :"schema".lease_claims)
           OR EXISTS (SELECT FROM :"schema".lease_claim_batches)
           OR EXISTS (SELECT FROM :"schema".lease_claim_closures)
           OR EXISTS (SELECT FROM :"schema".lease_claim_closure_batches) AS has_rows,
       t.slot, t.generation,
       EXISTS (SELECT FROM :"schema".lease_claims e WHERE e.claim_slot = r.next)
           OR EXISTS (SELECT FROM :"schema".lease_claim_batches e WHERE e.claim_slot = r.next),
       EXISTS (SELECT FROM :"schema".lease_claim_closures e WHERE e.claim_slot = r.next),
       EXISTS (SELECT FROM :"schema".lease_claim_closure_batches e WHERE e.claim_slot = r.next)
FROM ring r
LEFT JOIN LATERAL (
    SELECT (r.current_slot - (i.sealed - 1) + r.slot_count) % r.slot_count AS slot,
           r.generation - (i.sealed - 1) AS generation
    FROM (SELECT LEAST(r.generation + 1, r.slot_count)::integer AS sealed) i
    WHERE i.sealed > 1) t ON true
