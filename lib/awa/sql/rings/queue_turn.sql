-- rings/queue_turn: turns the queue ring by one slot, if it stands where it was seen and the
-- next slot is empty, and says which sealed slot is the oldest now. No row: somebody else was quicker.
-- OFFSET 0 keeps each look a look: made into a join, it would read the rows of all slots.
-- $1 integer: current slot as seen
-- $2 bigint: generation as seen
WITH turned AS (
    UPDATE :"schema".queue_ring_state r
    SET current_slot = (r.current_slot + 1) % r.slot_count, generation = r.generation + 1
    WHERE r.current_slot = $1::integer AND r.generation = $2::bigint
          AND NOT EXISTS (SELECT FROM :"schema".ready_entries e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".ready_claim_attempt_batches e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".done_entries e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".ready_tombstones e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".ready_segments e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".receipt_completion_batches e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".receipt_completion_tombstones e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
          AND NOT EXISTS (SELECT FROM :"schema".queue_terminal_count_deltas e WHERE e.ready_slot = (r.current_slot + 1) % r.slot_count OFFSET 0)
    RETURNING r.current_slot, r.generation
), slot AS (
    UPDATE :"schema".queue_ring_slots s SET generation = t.generation FROM turned t WHERE s.slot = t.current_slot
)
SELECT t.current_slot, t.generation, o.slot, o.generation
FROM turned t
LEFT JOIN LATERAL (
    SELECT s.slot, s.generation FROM :"schema".queue_ring_slots s
    WHERE s.generation >= 0 AND s.slot <> t.current_slot
    ORDER BY s.generation, s.slot LIMIT 1) o ON true
