-- rings/count_batches: compact claims in one slot of the claim ring, in a window of their batches along the key; then
-- whether the window was full, and where it ended.
-- $1 integer: the most batches to look at
-- $2 integer: slot of the queue ring that the claims are of, NULL for any
-- $3 bigint: its generation
-- $4 integer: the slot of the claim ring, which the key begins with
-- $5 bigint: the batch behind which the window begins
WITH looked AS MATERIALIZED (
    SELECT b.batch_id, CASE WHEN $2::integer IS NULL OR b.ready_slot = $2::integer AND b.ready_generation = $3::bigint
                            THEN b.claimed_count ELSE 0 END AS claims
    FROM :"schema".:"lease_claim_batches_k" b
    WHERE b.claim_slot = $4::integer AND b.batch_id > $5::bigint
    ORDER BY b.batch_id LIMIT $1::integer
)
SELECT COALESCE(sum(l.claims), 0) AS claims, 0 AS closures, count(*) = $1::integer AS is_full,
       $4::integer AS claim_slot, max(l.batch_id) AS batch
FROM looked l
