-- terminal_count_rollup/lock_deltas: locks the changes of the counts of one slot against everybody.
LOCK TABLE :"schema".:"queue_terminal_count_deltas_k" IN ACCESS EXCLUSIVE MODE
