-- parts/attempt: attempts that have been closed, each with its ready row, what its job keeps of its payload, its errors
-- so far and one more; their state goes.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 bigint[]: attempted_at, microseconds since 1970, below zero for none
-- $6 text: what the error entry says
attempt AS MATERIALIZED (
    SELECT r.*, a.run_lease AS own_run_lease, r.attempt + 1 AS own_attempt,
           CASE WHEN a.attempted_at >= 0 THEN '1970-01-01 00:00:00+00'::timestamptz
               + a.attempted_at * interval '1 microsecond' END AS started_at,
           CASE jsonb_typeof(r.payload) WHEN 'object' THEN r.payload ELSE '{}' END
               || COALESCE((SELECT jsonb_build_object('progress', s.progress) FROM :"schema".attempt_state s
                            WHERE s.job_id = a.job_id AND s.run_lease = a.run_lease AND s.progress IS NOT NULL), '{}')
               AS kept,
           CASE jsonb_typeof(r.payload -> 'errors') WHEN 'array' THEN r.payload -> 'errors' ELSE '[]' END AS errors,
           jsonb_build_object('error', $6::text, 'attempt', r.attempt + 1,
               'at', to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS entry
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS a(job_id, run_lease, slot, generation, attempted_at)
\ir ../parts/ready_row.sql
), gone AS (
    DELETE FROM :"schema".attempt_state s WHERE s.job_id = ANY ($1::bigint[])
        AND ((s.job_id, s.run_lease) IN (SELECT a.job_id, a.own_run_lease FROM attempt a)) IS TRUE
)
