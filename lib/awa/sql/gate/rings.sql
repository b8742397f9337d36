-- gate/rings: how many slots the three rings of the queue-storage plane have.
SELECT (SELECT slot_count FROM :"schema".queue_ring_state)::bigint AS queue_slots,
       (SELECT slot_count FROM :"schema".lease_ring_state)::bigint AS lease_slots,
       (SELECT slot_count FROM :"schema".claim_ring_state)::bigint AS claim_slots
