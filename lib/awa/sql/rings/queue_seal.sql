-- rings/queue_seal: locks the state of the queue ring and one slot of it; no row if that slot is
-- the current one by now.
-- $1 integer: slot
-- $2 bigint: its generation as seen
WITH ring AS MATERIALIZED (
    SELECT r.current_slot FROM :"schema".queue_ring_state r FOR UPDATE
)
SELECT s.slot FROM :"schema".queue_ring_slots s
WHERE s.slot = $1::integer AND s.slot <> (SELECT r.current_slot FROM ring r) AND s.generation = $2::bigint
FOR UPDATE
