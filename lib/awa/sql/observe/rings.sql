-- observe/rings: where the three rings of queue storage stand, and what their sealed slots hold.
-- Rows as the server's statistics count them, so about a second late and free of locks.
WITH ring AS (
    SELECT 'queue' AS ring, r.current_slot, r.generation,
        ARRAY['ready_entries', 'ready_claim_attempt_batches', 'done_entries', 'ready_tombstones',
              'ready_segments', 'receipt_completion_batches', 'receipt_completion_tombstones',
              'queue_terminal_count_deltas'] AS families
    FROM :"schema".queue_ring_state r
    UNION ALL
    SELECT 'lease', r.current_slot, r.generation, ARRAY['leases']
    FROM :"schema".lease_ring_state r
    UNION ALL
    SELECT 'claim', r.current_slot, r.generation,
        ARRAY['lease_claims', 'lease_claim_batches', 'lease_claim_closures',
              'lease_claim_closure_batches']
    FROM :"schema".claim_ring_state r
)
SELECT r.ring, r.current_slot, r.generation, (
    SELECT COALESCE(sum(pg_stat_get_live_tuples(c.oid)), 0)::bigint
    FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhparent
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE p.relnamespace = to_regnamespace(quote_ident(:'schema')) AND p.relname = ANY (r.families)
        AND c.relname <> p.relname || '_' || r.current_slot) AS waiting
FROM ring r
