-- rescue/tell_workers: asks the workers that may still run ended attempts to stop, as Awa's own cancel
-- does. Only where job ids are unmistakable: both planes number their jobs from one.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
SELECT count(pg_notify('awa:cancel', jsonb_build_object('job_id', a.job_id, 'run_lease', a.run_lease)::text))
FROM unnest($1::bigint[], $2::bigint[]) AS a(job_id, run_lease)
WHERE EXISTS (SELECT FROM awa.storage_transition_state t WHERE t.state = 'active')
  AND awa.active_queue_storage_schema() = :'schema'
