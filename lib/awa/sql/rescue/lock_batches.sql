-- rescue/lock_batches: locks receipts of compact batches as far as nobody else holds them, key first.
-- Returns the places in the arrays of those that are locked; what they are is read afresh later.
-- The transition row is locked first, if there is one.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: claim slots
-- $2 bigint[]: compact batches
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
    SELECT b.claim_slot, b.batch_id
    FROM (SELECT DISTINCT k.slot, k.batch_id FROM keyed k) k
    CROSS JOIN LATERAL (SELECT b.claim_slot, b.batch_id FROM :"schema".lease_claim_batches b
                        WHERE b.claim_slot = k.slot AND b.batch_id = k.batch_id
                        FOR UPDATE OF b SKIP LOCKED) b
)
SELECT COALESCE(array_agg(k.place ORDER BY k.place), '{}') AS places
FROM keyed k WHERE ((k.slot, k.batch_id) IN (SELECT l.claim_slot, l.batch_id FROM locked l)) IS TRUE
