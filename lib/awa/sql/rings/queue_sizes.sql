-- rings/queue_sizes: which tables of one slot of the queue ring take room on the disk, and whether they are to be truncated.
-- $1 integer: slot
-- $2 bigint: bytes that are not much
SELECT f.family, t.is_truncated
FROM (VALUES ('ready_entries'),
             ('ready_claim_attempt_batches'),
             ('done_entries'),
             ('ready_tombstones'),
             ('ready_segments'),
             ('receipt_completion_batches'),
             ('receipt_completion_tombstones'),
             ('queue_terminal_count_deltas')) AS f(family)
\ir ../parts/room.sql
