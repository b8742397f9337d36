-- rescue/lock_leases: locks leases as far as nobody else holds them, key first.
-- Returns the places in the arrays of those that are locked; what they are is read afresh later.
-- The transition row is locked first, if there is one.
-- $1 bigint[]: not used
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), wanted AS MATERIALIZED (
    SELECT w.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
        WITH ORDINALITY AS w(slot, batch_id, job_id, run_lease, place)
    WHERE (SELECT count(*) FROM routing) >= 0
    ORDER BY w.job_id, w.run_lease
), keyed AS MATERIALIZED (
    SELECT w.* FROM wanted w
    WHERE pg_try_advisory_xact_lock(hashtextextended(
        format('awa.receipt.complete:%s:%s', w.job_id, w.run_lease), 0))
), locked AS MATERIALIZED (
    SELECT k.place FROM keyed k
    CROSS JOIN LATERAL (SELECT FROM :"schema".leases l
                        WHERE l.job_id = k.job_id AND l.run_lease = k.run_lease
                        FOR UPDATE OF l SKIP LOCKED) l
)
SELECT COALESCE(array_agg(l.place ORDER BY l.place), '{}') AS places FROM locked l
