-- rings/queue_proofs: what one sealed slot of the queue ring still holds, and who still needs it.
-- Every question is asked for all generations: rows of a producer that committed a lap too late
-- have an old one, and no truncate may take them away.
-- $1 integer: slot
-- $2 bigint: its generation
WITH head AS MATERIALIZED (
    SELECT h.queue, h.priority, h.enqueue_shard, :"schema".sequence_next_value(h.seq_name) AS next
    FROM :"schema".queue_claim_heads h WHERE h.seq_name IS NOT NULL
), pending AS MATERIALIZED (
    SELECT h.queue, h.priority, h.enqueue_shard, e.ready_generation, e.lane_seq
    FROM head h
    CROSS JOIN LATERAL (
        SELECT e.ready_generation, e.lane_seq FROM :"schema".:"ready_entries_k" e
        WHERE e.queue = h.queue AND e.priority = h.priority AND e.enqueue_shard = h.enqueue_shard
          AND e.lane_seq >= h.next
        LIMIT 1) e
), claimed AS (
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
)
SELECT EXISTS (SELECT FROM :"schema".:"ready_entries_k") OR EXISTS (SELECT FROM :"schema".:"done_entries_k")
    OR EXISTS (SELECT FROM :"schema".:"ready_claim_attempt_batches_k")
    OR EXISTS (SELECT FROM :"schema".:"ready_tombstones_k") OR EXISTS (SELECT FROM :"schema".:"ready_segments_k")
    OR EXISTS (SELECT FROM :"schema".:"receipt_completion_batches_k")
    OR EXISTS (SELECT FROM :"schema".:"receipt_completion_tombstones_k")
    OR EXISTS (SELECT FROM :"schema".:"queue_terminal_count_deltas_k") AS has_rows,
       EXISTS (SELECT FROM :"schema".queue_terminal_live_counts c WHERE c.ready_slot = $1::integer) AS has_counts,
       EXISTS (SELECT FROM :"schema".leases l WHERE l.ready_slot = $1::integer) AS active_leases,
       EXISTS (SELECT FROM pending) AS pending_ready,
       (SELECT c.claims <> c.closures FROM claimed c)
    OR EXISTS (SELECT FROM :"schema".lease_claims c
               WHERE c.ready_slot = $1::integer AND c.ready_generation <> $2::bigint AND c.closed_at IS NULL
                 AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                     WHERE x.claim_slot = c.claim_slot AND x.receipt_ranges @> c.receipt_id))
    OR EXISTS (SELECT FROM :"schema".lease_claim_batches b
               WHERE b.ready_slot = $1::integer AND b.ready_generation <> $2::bigint
                 AND NOT b.receipt_ranges <@ COALESCE((
                     SELECT range_agg(x.r) FROM :"schema".lease_claim_closure_batches c, unnest(c.receipt_ranges) AS x(r)
                     WHERE c.claim_slot = b.claim_slot), '{}')) AS unclosed_claim_refs,
       (SELECT format('%s, priority %s, shard %s, generation %s', p.queue, p.priority, p.enqueue_shard,
                      p.ready_generation)
        FROM pending p WHERE p.ready_generation <> $2::bigint LIMIT 1) AS late_producer
