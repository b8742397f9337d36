-- terminal_count_rollup/candidates: sealed slots of the queue ring, the oldest first, and their generations; those that hold
-- changes of the counts of finished jobs. OFFSET 0 keeps each look a look: made into a join, it would read all changes.
SELECT COALESCE(array_agg(s.slot ORDER BY s.generation, s.slot), '{}') AS slots,
       COALESCE(array_agg(s.generation ORDER BY s.generation, s.slot), '{}') AS generations
FROM :"schema".queue_ring_slots s
CROSS JOIN :"schema".queue_ring_state r
WHERE s.generation >= 0 AND s.slot <> r.current_slot
  AND EXISTS (SELECT FROM :"schema".queue_terminal_count_deltas d WHERE d.ready_slot = s.slot OFFSET 0)
