-- rings/lease_look: where the lease ring stands, what keeps it from turning, and what may be pruned.
-- Then come: current slot and generation, whether any slot has a row, the oldest sealed slot and its
-- generation, and whether the next slot still has: leases.
WITH ring AS MATERIALIZED (
    SELECT s.current_slot, s.generation, s.slot_count, (s.current_slot + 1) % s.slot_count AS next
    FROM :"schema".lease_ring_state s LIMIT 1
)
SELECT r.current_slot, r.generation,
       EXISTS (SELECT FROM :"schema".leases) AS has_rows,
       t.slot, t.generation,
       EXISTS (SELECT FROM :"schema".leases e WHERE e.lease_slot = r.next)
FROM ring r
LEFT JOIN LATERAL (
    SELECT (r.current_slot - (i.sealed - 1) + r.slot_count) % r.slot_count AS slot,
           r.generation - (i.sealed - 1) AS generation
    FROM (SELECT LEAST(r.generation + 1, r.slot_count)::integer AS sealed) i
    WHERE i.sealed > 1) t ON true
