-- rings/queue_drop_counts: forgets the folded counts of a slot whose rows are gone.
-- $1 integer: slot
DELETE FROM :"schema".queue_terminal_live_counts c WHERE c.ready_slot = $1::integer
