-- rescue/close_claims: closes row-local receipts that are locked, still open and still stale or expired.
-- is_last: whether the job has no attempt left; -1 for lack of a ready row, and then the receipt is left
-- alone. attempted_at is in microseconds since 1970, below zero for none.
-- (…) IN (…) IS TRUE is looked up in a hash table.
-- $1 bigint[]: claim slots
-- $2 bigint[]: not used
-- $3 bigint[]: jobs
-- $4 bigint[]: run_leases
-- $5 text: heartbeat or deadline: what is looked at
-- $6 interval: how long ago that must be
WITH receipt AS MATERIALIZED (
    SELECT c.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(slot, b, job_id, run_lease)
    CROSS JOIN LATERAL (SELECT c.* FROM :"schema".lease_claims c WHERE c.claim_slot = w.slot
                        AND c.job_id = w.job_id AND c.run_lease = w.run_lease OFFSET 0) c
    WHERE c.closed_at IS NULL
),
\ir ../parts/closed.sql
, open AS MATERIALIZED (
    SELECT r.*, r.claimed_at AS began_at,
\ir ../parts/is_last.sql
    FROM receipt r
    WHERE CASE $5::text WHEN 'deadline' THEN r.deadline_at
          ELSE COALESCE((SELECT s.heartbeat_at FROM :"schema".attempt_state s
              WHERE s.job_id = r.job_id AND s.run_lease = r.run_lease), r.claimed_at) END < now() - $6::interval
      AND
\ir ../parts/not_ended.sql
), closure AS (
    INSERT INTO :"schema".lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at)
    SELECT o.claim_slot, o.job_id, o.run_lease,
        CASE $5::text WHEN 'deadline' THEN 'deadline_expired' ELSE 'rescued' END, statement_timestamp()
    FROM open o WHERE o.is_last IS NOT NULL ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
    RETURNING claim_slot, job_id, run_lease
), fence AS (
    UPDATE :"schema".lease_claims c SET closed_at = statement_timestamp()
    WHERE c.job_id = ANY ($3::bigint[]) AND c.run_lease = ANY ($4::bigint[])
      AND ((c.claim_slot, c.job_id, c.run_lease) IN (
          SELECT x.claim_slot, x.job_id, x.run_lease FROM closure x)) IS TRUE
)
\ir ../parts/ended.sql
