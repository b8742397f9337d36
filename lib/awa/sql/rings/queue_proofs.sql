-- rings/queue_proofs: what one sealed slot of the queue ring still holds, and who still needs it.
-- Leases and ready rows count whatever their generation: those of a producer that committed a lap
-- too late have an old one. Such a producer is named; its claims are queue_late_claims' question.
-- The last column changes when a job comes into the slot, as does nothing else: numbers of a lane
-- become visible in their order.
-- $1 integer: slot
-- $2 bigint: its generation
-- $3 boolean: whether to count its claims, which takes the longer the more there are
WITH claimed AS (
    SELECT (SELECT count(*) FROM :"schema".lease_claims c
            WHERE c.ready_slot = $1::integer AND c.ready_generation = $2::bigint)
         + (SELECT COALESCE(sum(b.claimed_count), 0) FROM :"schema".lease_claim_batches b
            WHERE b.ready_slot = $1::integer AND b.ready_generation = $2::bigint) AS claims,
           (SELECT count(*) FROM :"schema".lease_claims c
            JOIN :"schema".lease_claim_closures x
              ON x.claim_slot = c.claim_slot AND x.job_id = c.job_id AND x.run_lease = c.run_lease
            WHERE c.ready_slot = $1::integer AND c.ready_generation = $2::bigint)
         + (SELECT COALESCE(sum(x.closed_count), 0) FROM :"schema".lease_claim_closure_batches x
            WHERE x.ready_slot = $1::integer AND x.ready_generation = $2::bigint) AS closures
), lanes AS MATERIALIZED (
    -- The newest row of each lane, by its index; a lane without a sequence has never been claimed.
    SELECT COALESCE(bool_or(newest.lane_seq >= CASE WHEN h.seq_name IS NULL THEN 0
                                               ELSE :"schema".sequence_next_value(h.seq_name) END), false) AS is_pending,
           format('%s %s', count(*), sum(newest.lane_seq)) AS newest
    FROM :"schema".queue_claim_heads h
    CROSS JOIN LATERAL (
        SELECT e.lane_seq FROM :"schema".:"ready_entries_k" e
        WHERE e.queue = h.queue AND e.priority = h.priority AND e.enqueue_shard = h.enqueue_shard
        ORDER BY e.lane_seq DESC LIMIT 1) newest
)
SELECT EXISTS (SELECT FROM :"schema".:"ready_entries_k") OR EXISTS (SELECT FROM :"schema".:"done_entries_k")
    OR EXISTS (SELECT FROM :"schema".:"ready_claim_attempt_batches_k")
    OR EXISTS (SELECT FROM :"schema".:"ready_tombstones_k") OR EXISTS (SELECT FROM :"schema".:"ready_segments_k")
    OR EXISTS (SELECT FROM :"schema".:"receipt_completion_batches_k")
    OR EXISTS (SELECT FROM :"schema".:"receipt_completion_tombstones_k")
    OR EXISTS (SELECT FROM :"schema".:"queue_terminal_count_deltas_k") AS has_rows,
       EXISTS (SELECT FROM :"schema".queue_terminal_live_counts c WHERE c.ready_slot = $1::integer) AS has_counts,
       EXISTS (SELECT FROM :"schema".leases l WHERE l.ready_slot = $1::integer) AS active_leases,
       l.is_pending AS pending_ready,
       $3::boolean AND (SELECT c.claims <> c.closures FROM claimed c) AS unclosed_claim_refs,
       (SELECT format('slot %s, generation %s, queue %s, priority %s, shard %s', s.ready_slot, s.ready_generation,
                      s.queue, s.priority, s.enqueue_shard)
        FROM :"schema".:"ready_segments_k" s
        WHERE s.ready_slot = $1::integer AND s.ready_generation < $2::bigint
        ORDER BY s.ready_generation LIMIT 1) AS late_producer,
       l.newest
FROM lanes l
