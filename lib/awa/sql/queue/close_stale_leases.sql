-- queue/close_stale_leases: ends leases that are locked and still stale; their receipts come after.
-- A lease without its ready row is left alone. attempted_at is in microseconds since 1970, below
-- zero for none.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: not used
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 interval: staleness
WITH lease AS MATERIALIZED (
    SELECT l.*, EXISTS (
        SELECT FROM :"schema".ready_entries r WHERE r.job_id = l.job_id AND r.run_lease + 1 = l.run_lease
        AND (r.ready_slot, r.ready_generation) IS NOT DISTINCT FROM (l.ready_slot, l.ready_generation)
        OFFSET 0) AS has_ready
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(slot, batch_id, job_id, run_lease)
    CROSS JOIN LATERAL (SELECT l.* FROM :"schema".leases l
                        WHERE l.job_id = w.job_id AND l.run_lease = w.run_lease OFFSET 0) l
    WHERE l.state = 'running' AND GREATEST(l.heartbeat_at, (
        SELECT s.heartbeat_at FROM :"schema".attempt_state s
        WHERE s.job_id = l.job_id AND s.run_lease = l.run_lease)) < now() - $5::interval
), gone AS (
    DELETE FROM :"schema".leases l WHERE l.job_id = ANY ($3::bigint[])
        AND ((l.job_id, l.run_lease) IN (
            SELECT e.job_id, e.run_lease FROM lease e WHERE e.has_ready)) IS TRUE
)
SELECT array_agg(e.job_id), array_agg(e.run_lease), array_agg(e.ready_slot), array_agg(e.ready_generation),
       array_agg(CASE WHEN isfinite(e.attempted_at) THEN (extract(epoch FROM e.attempted_at) * 1e6)::bigint
                 ELSE -1 END) AS attempted_at,
       array_agg(e.has_ready::integer) AS has_ready
FROM lease e
