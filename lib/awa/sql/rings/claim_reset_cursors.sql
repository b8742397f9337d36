-- rings/claim_reset_cursors: lets the sweeps of an emptied claim slot begin from its start again.
-- $1 integer: slot
UPDATE :"schema".claim_ring_slots s
SET rescue_cursor_claimed_at = '-infinity', rescue_cursor_job_id = 0, rescue_cursor_run_lease = 0,
    deadline_cursor_deadline_at = '-infinity', deadline_cursor_job_id = 0, deadline_cursor_run_lease = 0
WHERE s.slot = $1::integer
