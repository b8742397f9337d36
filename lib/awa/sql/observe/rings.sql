-- observe/rings: where the three rings of queue storage stand.
SELECT 'queue' AS ring, r.current_slot, r.generation FROM :"schema".queue_ring_state r
UNION ALL
SELECT 'lease', r.current_slot, r.generation FROM :"schema".lease_ring_state r
UNION ALL
SELECT 'claim', r.current_slot, r.generation FROM :"schema".claim_ring_state r
