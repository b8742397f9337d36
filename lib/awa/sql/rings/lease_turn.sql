-- rings/lease_turn: turns the lease ring by one slot, if it stands where it was seen and the
-- next slot is empty. No row: somebody else was quicker.
-- $1 integer: current slot as seen
-- $2 bigint: generation as seen
UPDATE :"schema".lease_ring_state r
SET current_slot = (r.current_slot + 1) % r.slot_count, generation = r.generation + 1
WHERE r.current_slot = $1::integer AND r.generation = $2::bigint
      AND NOT EXISTS (SELECT FROM :"schema".leases e WHERE e.lease_slot = (r.current_slot + 1) % r.slot_count)
RETURNING r.current_slot, r.generation
