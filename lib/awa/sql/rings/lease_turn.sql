-- rings/lease_turn: turns the lease ring by one slot, if it stands where it was seen and the
-- next slot is empty, and says which sealed slot is the oldest now. No row: somebody else was quicker.
-- OFFSET 0 keeps each look a look: made into a join, it would read the rows of all slots.
-- $1 integer: current slot as seen
-- $2 bigint: generation as seen
WITH turned AS (
    UPDATE :"schema".lease_ring_state r
    SET current_slot = (r.current_slot + 1) % r.slot_count, generation = r.generation + 1
    WHERE r.current_slot = $1::integer AND r.generation = $2::bigint
          AND NOT EXISTS (SELECT FROM :"schema".leases e WHERE e.lease_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
    RETURNING r.current_slot, r.generation, r.slot_count
)
SELECT t.current_slot, t.generation, o.slot, o.generation
FROM turned t
LEFT JOIN LATERAL (
    SELECT (t.current_slot - (i.sealed - 1) + t.slot_count) % t.slot_count AS slot,
           t.generation - (i.sealed - 1) AS generation
    FROM (SELECT LEAST(t.generation + 1, t.slot_count)::integer AS sealed) i
    WHERE i.sealed > 1) o ON true
