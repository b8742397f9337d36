-- rings/queue_late_claims: whether an attempt still runs on a row that a producer committed a lap too late.
-- Old claims of such a generation may be gone in part, so they are not counted but looked at one by one.
-- $1 integer: slot
-- $2 bigint: its generation
WITH late AS MATERIALIZED (
    SELECT s.ready_generation, s.queue, s.enqueue_shard, s.first_lane_seq, s.next_lane_seq
    FROM :"schema".:"ready_segments_k" s
    WHERE s.ready_slot = $1::integer AND s.ready_generation < $2::bigint
), receipt AS (
    SELECT c.claim_slot, c.receipt_id, c.job_id, c.run_lease, c.ready_generation, c.queue, c.enqueue_shard, c.lane_seq
    FROM :"schema".lease_claims c
    WHERE c.ready_slot = $1::integer AND c.ready_generation < $2::bigint AND c.closed_at IS NULL
    UNION ALL
    SELECT b.claim_slot, i.receipt_id, i.job_id, i.run_lease, b.ready_generation, b.queue, b.enqueue_shard, i.lane_seq
    FROM :"schema".lease_claim_batches b
    CROSS JOIN LATERAL unnest(b.receipt_ids, b.job_ids, b.run_leases, b.lane_seqs)
                       AS i(receipt_id, job_id, run_lease, lane_seq)
    WHERE b.ready_slot = $1::integer AND b.ready_generation < $2::bigint
)
SELECT EXISTS (
    SELECT FROM late l
    JOIN receipt r ON r.ready_generation = l.ready_generation AND r.queue = l.queue
        AND r.enqueue_shard = l.enqueue_shard AND r.lane_seq >= l.first_lane_seq AND r.lane_seq < l.next_lane_seq
    WHERE NOT EXISTS (SELECT FROM :"schema".lease_claim_closures x
                      WHERE x.claim_slot = r.claim_slot AND x.job_id = r.job_id AND x.run_lease = r.run_lease)
      AND NOT EXISTS (SELECT FROM :"schema".lease_claim_closure_batches x
                      WHERE x.claim_slot = r.claim_slot AND x.receipt_ranges @> r.receipt_id)
) AS has_open
