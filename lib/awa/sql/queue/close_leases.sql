-- queue/close_leases: ends leases that are locked and still stale or expired; their receipts come after.
-- is_last says whether the job has no attempt left; it is -1 for lack of a ready row, and then the
-- lease is left alone. attempted_at is in microseconds since 1970, below zero for none.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: not used
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 text: heartbeat, deadline or callback_timeout: what is looked at
-- $6 interval: how long ago that must be
WITH lease AS MATERIALIZED (
    SELECT l.*, (
        SELECT max((r.attempt + 1 >= r.max_attempts)::integer) FROM :"schema".ready_entries r
        WHERE r.job_id = l.job_id AND r.run_lease + 1 = l.run_lease
          AND (r.ready_slot, r.ready_generation) IS NOT DISTINCT FROM (l.ready_slot, l.ready_generation)
        OFFSET 0) AS is_last
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(slot, batch_id, job_id, run_lease)
    CROSS JOIN LATERAL (SELECT l.* FROM :"schema".leases l
                        WHERE l.job_id = w.job_id AND l.run_lease = w.run_lease OFFSET 0) l
    WHERE l.state = CASE $5::text WHEN 'callback_timeout' THEN 'waiting_external' ELSE 'running' END::awa.job_state
      AND CASE $5::text
          WHEN 'heartbeat' THEN GREATEST(l.heartbeat_at, (
              SELECT s.heartbeat_at FROM :"schema".attempt_state s
              WHERE s.job_id = l.job_id AND s.run_lease = l.run_lease))
          WHEN 'deadline' THEN l.deadline_at
          ELSE l.callback_timeout_at END < now() - $6::interval
), gone AS (
    DELETE FROM :"schema".leases l WHERE l.job_id = ANY ($3::bigint[])
        AND ((l.job_id, l.run_lease) IN (
            SELECT e.job_id, e.run_lease FROM lease e WHERE e.is_last IS NOT NULL)) IS TRUE
)
SELECT array_agg(e.job_id), array_agg(e.run_lease), array_agg(e.ready_slot), array_agg(e.ready_generation),
       array_agg(CASE WHEN isfinite(e.attempted_at) THEN (extract(epoch FROM e.attempted_at) * 1e6)::bigint
                 ELSE -1 END) AS attempted_at,
       array_agg(COALESCE(e.is_last, -1)::bigint) AS is_last
FROM lease e
