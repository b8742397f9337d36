-- rescue/close_leases: ends leases that are locked and still stale or expired; their receipts come after.
-- is_last says whether the job has no attempt left; it is -1 for lack of a ready row, and then the
-- lease is left alone. attempted_at is in microseconds since 1970, below zero for none.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: not used
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 text: heartbeat, deadline or callback_timeout: what is looked at
-- $6 interval: how long ago that must be
WITH open AS MATERIALIZED (
    SELECT r.*, r.attempted_at AS began_at,
\ir ../parts/is_last.sql
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(slot, batch_id, job_id, run_lease)
    CROSS JOIN LATERAL (SELECT l.* FROM :"schema".leases l
                        WHERE l.job_id = w.job_id AND l.run_lease = w.run_lease OFFSET 0) r
    WHERE r.state = CASE $5::text WHEN 'callback_timeout' THEN 'waiting_external' ELSE 'running' END::awa.job_state
      AND CASE $5::text
          WHEN 'heartbeat' THEN GREATEST(r.heartbeat_at, (
              SELECT s.heartbeat_at FROM :"schema".attempt_state s
              WHERE s.job_id = r.job_id AND s.run_lease = r.run_lease))
          WHEN 'deadline' THEN r.deadline_at
          ELSE r.callback_timeout_at END < now() - $6::interval
), gone AS (
    DELETE FROM :"schema".leases l WHERE l.job_id = ANY ($3::bigint[])
        AND ((l.job_id, l.run_lease) IN (
            SELECT o.job_id, o.run_lease FROM open o WHERE o.is_last IS NOT NULL)) IS TRUE
)
\ir ../parts/ended.sql
