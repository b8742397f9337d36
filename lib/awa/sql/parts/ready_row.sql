-- parts/ready_row: joins each attempt a with its ready row r; of two the one that is not entombed.
CROSS JOIN LATERAL (
    SELECT r.* FROM :"schema".ready_entries r WHERE r.job_id = a.job_id AND r.run_lease + 1 = a.run_lease
    AND (r.ready_slot, r.ready_generation) IS NOT DISTINCT FROM (a.slot, a.generation)
    ORDER BY
\ir ../parts/is_entombed.sql
    LIMIT 1) r
