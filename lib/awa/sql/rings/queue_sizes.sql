-- rings/queue_sizes: which tables of one slot of the queue ring take room on the disk, and whether it is much.
-- $1 integer: slot
-- $2 bigint: bytes that are not much
SELECT f.family, t.bytes > $2::bigint AS is_large
FROM (VALUES ('ready_entries'),
             ('ready_claim_attempt_batches'),
             ('done_entries'),
             ('ready_tombstones'),
             ('ready_segments'),
             ('receipt_completion_batches'),
             ('receipt_completion_tombstones'),
             ('queue_terminal_count_deltas')) AS f(family)
CROSS JOIN LATERAL pg_relation_size(format('%I.%I', :'schema', f.family || '_' || $1::integer)::regclass) AS t(bytes)
WHERE t.bytes > 0
