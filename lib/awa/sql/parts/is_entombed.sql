-- parts/is_entombed: whether ready row r is entombed.
EXISTS (SELECT FROM :"schema".ready_tombstones t WHERE t.ready_slot = r.ready_slot AND t.queue = r.queue
        AND t.priority = r.priority AND t.enqueue_shard = r.enqueue_shard AND t.lane_seq = r.lane_seq
        AND t.ready_generation = r.ready_generation)
