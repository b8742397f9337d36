-- rescue/close_batches: closes receipts of compact batches that are locked, still open and still stale.
-- is_last says whether the job has no attempt left; it is -1 for lack of a ready row, and then the
-- receipt is left alone. attempted_at is in microseconds since 1970, below zero for none.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: claim slots
-- $2 bigint[]: batches
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 text: heartbeat, the only thing that is looked at: these receipts have no deadline
-- $6 interval: how long ago that must be
WITH receipt AS MATERIALIZED (
    SELECT b.claim_slot, b.ready_slot, b.ready_generation, b.claimed_at, i.*
    FROM (SELECT DISTINCT w.slot, w.batch_id FROM unnest($1::bigint[], $2::bigint[]) AS w(slot, batch_id)) p
    CROSS JOIN LATERAL (SELECT b.* FROM :"schema".lease_claim_batches b
                        WHERE b.claim_slot = p.slot AND b.batch_id = p.batch_id OFFSET 0) b
    CROSS JOIN LATERAL unnest(b.job_ids, b.run_leases, b.receipt_ids) AS i(job_id, run_lease, receipt_id)
    WHERE ((b.batch_id, i.job_id, i.run_lease) IN (
        SELECT w.batch_id, w.job_id, w.run_lease
        FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS w(batch_id, job_id, run_lease))) IS TRUE
),
\ir ../parts/closed.sql
, open AS MATERIALIZED (
    SELECT r.*, r.claimed_at AS began_at,
\ir ../parts/is_last.sql
    FROM receipt r
    WHERE COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
                    WHERE s.job_id = r.job_id AND s.run_lease = r.run_lease), r.claimed_at)
          < now() - $6::interval AND $5::text = 'heartbeat'
      AND
\ir ../parts/not_ended.sql
), closure AS (
    INSERT INTO :"schema".lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
        closed_count, receipt_ids, receipt_ranges)
    SELECT o.claim_slot, o.ready_slot, o.ready_generation, 'rescued', count(*),
           array_agg(o.receipt_id ORDER BY o.receipt_id), range_agg(int8range(o.receipt_id, o.receipt_id, '[]'))
    FROM open o WHERE o.is_last IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
)
\ir ../parts/ended.sql
