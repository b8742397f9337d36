-- rings/queue_look: where the queue ring stands, what keeps it from turning, and what may be pruned.
-- Then come: current slot and generation, whether any slot has a row, the oldest sealed slot and its
-- generation, and whether the next slot still has: the eight families of the ring, in their order.
WITH ring AS MATERIALIZED (
    SELECT s.current_slot, s.generation, s.slot_count, (s.current_slot + 1) % s.slot_count AS next
    FROM :"schema".queue_ring_state s LIMIT 1
)
SELECT r.current_slot, r.generation,
       EXISTS (SELECT FROM :"schema".ready_entries)
           OR EXISTS (SELECT FROM :"schema".ready_claim_attempt_batches)
           OR EXISTS (SELECT FROM :"schema".done_entries)
           OR EXISTS (SELECT FROM :"schema".ready_tombstones)
           OR EXISTS (SELECT FROM :"schema".ready_segments)
           OR EXISTS (SELECT FROM :"schema".receipt_completion_batches)
           OR EXISTS (SELECT FROM :"schema".receipt_completion_tombstones)
           OR EXISTS (SELECT FROM :"schema".queue_terminal_count_deltas) AS has_rows,
       t.slot, t.generation,
       EXISTS (SELECT FROM :"schema".ready_entries e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".ready_claim_attempt_batches e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".done_entries e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".ready_tombstones e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".ready_segments e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".receipt_completion_batches e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".receipt_completion_tombstones e WHERE e.ready_slot = r.next),
       EXISTS (SELECT FROM :"schema".queue_terminal_count_deltas e WHERE e.ready_slot = r.next)
FROM ring r
LEFT JOIN LATERAL (
    SELECT s.slot, s.generation FROM :"schema".queue_ring_slots s
    WHERE s.generation >= 0 AND s.slot <> r.current_slot
    ORDER BY s.generation, s.slot LIMIT 1) t ON true
