-- rings/count_closures: claims that compact closures in one slot of the claim ring close, in a window of their batches
-- along the key; then whether the window was full, and where it ended.
-- $1 integer: the most batches to look at
-- $2 integer: slot of the queue ring that the claims are of, NULL for any
-- $3 bigint: its generation
-- $4 integer: the slot of the claim ring, which the key begins with
-- $5 bigint: the batch behind which the window begins
WITH looked AS MATERIALIZED (
    SELECT x.batch_id, CASE WHEN $2::integer IS NULL OR x.ready_slot = $2::integer AND x.ready_generation = $3::bigint
                            THEN x.closed_count ELSE 0 END AS closures
    FROM :"schema".:"lease_claim_closure_batches_k" x
    WHERE x.claim_slot = $4::integer AND x.batch_id > $5::bigint
    ORDER BY x.batch_id LIMIT $1::integer
)
SELECT 0 AS claims, COALESCE(sum(l.closures), 0) AS closures, count(*) = $1::integer AS is_full,
       $4::integer AS claim_slot, max(l.batch_id) AS batch
FROM looked l
