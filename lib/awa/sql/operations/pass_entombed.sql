-- operations/pass_entombed: moves the claim cursor of a lane past jobs that are entombed, to the first that is not, or behind
-- the last that is to be seen. Workers would pass no more of them at a time than they have room for jobs, and never those
-- behind a gap in the lane's numbers. Of the numbers in between none can come any more, since those of a lane are
-- committed in their order. Waits for a worker that is at the lane. Counts the cursors that were moved.
-- $1 text: queue
-- $2 integer: priority
-- $3 integer: shard
WITH head AS MATERIALIZED (
    SELECT c.seq_name FROM :"schema".queue_claim_heads c
    WHERE c.queue = $1::text AND c.priority = $2::integer AND c.enqueue_shard = $3::integer AND c.seq_name IS NOT NULL
    FOR UPDATE
), cursor AS MATERIALIZED (
    SELECT h.seq_name, :"schema".sequence_next_value(h.seq_name) AS next FROM head h
), target AS MATERIALIZED (
    SELECT c.seq_name, c.next, COALESCE(
        (SELECT r.lane_seq FROM :"schema".ready_entries r
         WHERE r.queue = $1::text AND r.priority = $2::integer AND r.enqueue_shard = $3::integer
           AND r.lane_seq >= c.next
           AND NOT EXISTS (SELECT FROM :"schema".ready_tombstones t
               WHERE t.ready_slot = r.ready_slot AND t.ready_generation = r.ready_generation AND t.queue = r.queue
                 AND t.priority = r.priority AND t.enqueue_shard = r.enqueue_shard AND t.lane_seq = r.lane_seq OFFSET 0)
         ORDER BY r.lane_seq LIMIT 1),
        (SELECT r.lane_seq + 1 FROM :"schema".ready_entries r
         WHERE r.queue = $1::text AND r.priority = $2::integer AND r.enqueue_shard = $3::integer
           AND r.lane_seq >= c.next
         ORDER BY r.lane_seq DESC LIMIT 1)) AS place
    FROM cursor c
)
SELECT count(:"schema".set_sequence_next(t.seq_name, t.place)) AS cursors FROM target t WHERE t.place > t.next
