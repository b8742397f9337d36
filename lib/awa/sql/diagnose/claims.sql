-- diagnose/claims: the next unique claims in the order of their keys: how many, the last key, how many belong to no job that
-- there is, how many to a job whose state does not claim its key, and one job of each kind. A ready row speaks for its job as
-- long as no ended row of the same run stands beside it, so the second number may be too low, never too high.
-- In queue storage a mask is any text; its places are those of the states, and what is not 1 claims nothing.
-- $1 bytea: the key after which to begin
-- $2 bigint: claims to look at
WITH page AS MATERIALIZED (
    SELECT u.unique_key, u.job_id FROM awa.job_unique_claims u
    WHERE u.unique_key > $1::bytea ORDER BY u.unique_key LIMIT $2::bigint
), judged AS (
    SELECT p.job_id, t.is_held
    FROM page p
    CROSS JOIN LATERAL (
        SELECT bool_or(s.is_held) AS is_held
        FROM (
            SELECT COALESCE(awa.job_state_in_bitmask(j.unique_states, j.state), false) AS is_held
            FROM awa.jobs_hot j WHERE j.id = p.job_id
            UNION ALL
            SELECT COALESCE(awa.job_state_in_bitmask(j.unique_states, j.state), false)
            FROM awa.scheduled_jobs j WHERE j.id = p.job_id
            UNION ALL
            SELECT COALESCE(substr(d.unique_states, CASE d.state WHEN 'scheduled' THEN 1 ELSE 5 END, 1) = '1', false)
            FROM :"schema".deferred_jobs d WHERE d.job_id = p.job_id
            UNION ALL
            SELECT COALESCE(substr(q.unique_states, 6, 1) = '1', false)
            FROM :"schema".dlq_entries q WHERE q.job_id = p.job_id
            UNION ALL
            SELECT NOT EXISTS (SELECT FROM :"schema".done_entries x
                               WHERE x.job_id = r.job_id AND x.run_lease > r.run_lease)
            FROM :"schema".ready_entries r WHERE r.job_id = p.job_id
            UNION ALL
            SELECT COALESCE(substr(COALESCE(x.unique_states, (
                       SELECT min(r.unique_states) FROM :"schema".ready_entries r WHERE r.job_id = x.job_id)),
                   CASE x.state WHEN 'completed' THEN 4 WHEN 'failed' THEN 6 ELSE 7 END, 1) = '1', false)
            FROM :"schema".done_entries x WHERE x.job_id = p.job_id) s) t
)
SELECT (SELECT count(*) FROM page) AS seen,
       (SELECT p.unique_key::text FROM page p ORDER BY p.unique_key DESC LIMIT 1) AS last_key,
       count(*) FILTER (WHERE j.is_held IS NULL) AS without_job,
       count(*) FILTER (WHERE NOT j.is_held) AS without_state,
       min(j.job_id) FILTER (WHERE j.is_held IS NULL) AS job_without,
       min(j.job_id) FILTER (WHERE NOT j.is_held) AS job_with
FROM judged j
