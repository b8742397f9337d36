-- rings/claim_seal: locks the state of the claim ring and one slot of it; no row if that slot is
-- the current one by now.
-- $1 integer: slot
WITH ring AS MATERIALIZED (
    SELECT r.current_slot FROM :"schema".claim_ring_state r FOR UPDATE
)
SELECT s.slot FROM :"schema".claim_ring_slots s
WHERE s.slot = $1::integer AND s.slot <> (SELECT r.current_slot FROM ring r)
FOR UPDATE
