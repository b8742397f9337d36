-- admin/wait_for_recounts: keeps Awa's own functions from counting until the transaction ends; waits for one that
-- is at it.
SELECT pg_advisory_xact_lock(1098018130)
