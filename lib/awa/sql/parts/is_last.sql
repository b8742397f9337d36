-- parts/is_last: whether attempt r is its job's last one, as a number; NULL for lack of a ready row.
(SELECT max((e.attempt + 1 >= e.max_attempts)::integer) FROM :"schema".ready_entries e
 WHERE e.job_id = r.job_id AND e.run_lease + 1 = r.run_lease
   AND (e.ready_slot, e.ready_generation) IS NOT DISTINCT FROM (r.ready_slot, r.ready_generation)
 OFFSET 0) AS is_last
