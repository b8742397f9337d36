-- rings/queue_sizes: which tables of one slot of the queue ring take more than some bytes on the disk.
-- $1 integer: slot
-- $2 bigint: bytes that do not count
SELECT f.family
FROM (VALUES ('ready_entries'),
             ('ready_claim_attempt_batches'),
             ('done_entries'),
             ('ready_tombstones'),
             ('ready_segments'),
             ('receipt_completion_batches'),
             ('receipt_completion_tombstones'),
             ('queue_terminal_count_deltas')) AS f(family)
WHERE pg_relation_size(format('%I.%I', :'schema', f.family || '_' || $1::integer)::regclass) > $2::bigint
