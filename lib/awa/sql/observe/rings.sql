-- observe/rings: where the three rings of queue storage stand, and how many rows wait in their sealed
-- slots as far as the server's statistics know. Reads no row of theirs.
SELECT r.ring, r.current_slot, r.generation,
       (SELECT COALESCE(sum(pg_stat_get_live_tuples(to_regclass(format('%I.%I', :'schema', f.family || '_' || s.slot)))), 0)
        FROM unnest(r.families) AS f(family), generate_series(0, r.slot_count - 1) AS s(slot)
        WHERE s.slot <> r.current_slot)::bigint AS sealed_rows
FROM (
    SELECT 'queue' AS ring, s.current_slot, s.generation, s.slot_count,
           ARRAY['ready_entries', 'ready_claim_attempt_batches', 'done_entries', 'ready_tombstones',
                 'ready_segments', 'receipt_completion_batches', 'receipt_completion_tombstones',
                 'queue_terminal_count_deltas'] AS families
    FROM :"schema".queue_ring_state s
    UNION ALL
    SELECT 'lease', s.current_slot, s.generation, s.slot_count, ARRAY['leases'] FROM :"schema".lease_ring_state s
    UNION ALL
    SELECT 'claim', s.current_slot, s.generation, s.slot_count,
           ARRAY['lease_claims', 'lease_claim_batches', 'lease_claim_closures', 'lease_claim_closure_batches']
    FROM :"schema".claim_ring_state s
) r
