-- operations/entomb: takes jobs in one slot out of a lane that is locked by this transaction; those that are claimed
-- or gone, or that somebody holds, are left out. A claim is in a batch; where there are no receipts it is a lease, and
-- afterwards only what has become of the job tells of it.
-- Names the numbers of those that are out, and counts those that nobody held.
-- $1 text: queue
-- $2 integer: priority
-- $3 integer: shard
-- $4 bigint[]: numbers
WITH claimed AS MATERIALIZED (
    SELECT :"schema".sequence_next_value(c.seq_name) AS next FROM :"schema".queue_claim_heads c
    WHERE c.queue = $1::text AND c.priority = $2::integer AND c.enqueue_shard = $3::integer
), held AS MATERIALIZED (
    SELECT r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard, r.lane_seq, r.job_id, r.run_lease
    FROM unnest($4::bigint[]) AS a(lane_seq)
    CROSS JOIN LATERAL (SELECT r.* FROM :"schema".:"ready_entries_k" r
                        WHERE r.queue = $1::text AND r.priority = $2::integer AND r.enqueue_shard = $3::integer
                          AND r.lane_seq = a.lane_seq
                        FOR UPDATE SKIP LOCKED OFFSET 0) r
), entombed AS (
    INSERT INTO :"schema".ready_tombstones (ready_slot, ready_generation, queue, priority, enqueue_shard, lane_seq,
        job_id)
    SELECT s.ready_slot, s.ready_generation, s.queue, s.priority, s.enqueue_shard, s.lane_seq, s.job_id
    FROM held s
    WHERE s.lane_seq >= (SELECT c.next FROM claimed c)
      AND NOT EXISTS (SELECT FROM :"schema".:"ready_tombstones_k" t
          WHERE t.queue = s.queue AND t.priority = s.priority
            AND t.enqueue_shard = s.enqueue_shard AND t.lane_seq = s.lane_seq
            AND t.ready_generation = s.ready_generation OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".:"ready_claim_attempt_batches_k" b
          WHERE b.ready_generation = s.ready_generation AND b.queue = s.queue
            AND b.priority = s.priority AND b.enqueue_shard = s.enqueue_shard
            AND b.next_lane_seq > s.lane_seq AND b.lane_ranges @> s.lane_seq OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".leases l
          WHERE l.job_id = s.job_id AND l.run_lease = s.run_lease + 1 OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".:"done_entries_k" e
          WHERE e.queue = s.queue AND e.priority = s.priority
            AND e.enqueue_shard = s.enqueue_shard AND e.lane_seq = s.lane_seq
            AND e.ready_generation = s.ready_generation OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".deferred_jobs d WHERE d.job_id = s.job_id OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".dlq_entries q WHERE q.job_id = s.job_id OFFSET 0)
      AND NOT EXISTS (SELECT FROM :"schema".ready_entries n
          WHERE n.job_id = s.job_id AND n.run_lease > s.run_lease OFFSET 0)
    ON CONFLICT DO NOTHING
    RETURNING lane_seq
)
SELECT COALESCE(array_agg(e.lane_seq ORDER BY e.lane_seq), '{}') AS numbers, (SELECT count(*) FROM held) AS held FROM entombed e
