-- rings/queue_lock: locks the tables of one slot of the queue ring against everybody, in their order.
LOCK TABLE :"schema".:"ready_entries_k",
           :"schema".:"ready_claim_attempt_batches_k",
           :"schema".:"done_entries_k",
           :"schema".:"ready_tombstones_k",
           :"schema".:"ready_segments_k",
           :"schema".:"receipt_completion_batches_k",
           :"schema".:"receipt_completion_tombstones_k",
           :"schema".:"queue_terminal_count_deltas_k"
IN ACCESS EXCLUSIVE MODE
