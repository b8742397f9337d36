-- rings/count_claims: claims with a row of their own in one slot of the claim ring, and closures with one, in a window
-- along their key; then whether the window was full, and where it ended.
-- $1 integer: the most claims to look at
-- $2 integer: slot of the queue ring that they are of, NULL for any
-- $3 bigint: its generation
-- $4 bigint: the job of the claim behind which the window begins
-- $5 bigint: its run lease
WITH looked AS MATERIALIZED (
    SELECT c.job_id, c.run_lease,
           $2::integer IS NULL OR c.ready_slot = $2::integer AND c.ready_generation = $3::bigint AS is_asked
    FROM :"schema".:"lease_claims_k" c
    WHERE (c.job_id, c.run_lease) > ($4::bigint, $5::bigint)
    ORDER BY c.job_id, c.run_lease LIMIT $1::integer
), last AS (
    SELECT l.job_id, l.run_lease FROM looked l ORDER BY l.job_id DESC, l.run_lease DESC LIMIT 1
)
SELECT (SELECT count(*) FROM looked l WHERE l.is_asked) AS claims,
       (SELECT count(*) FROM looked l
        WHERE l.is_asked AND EXISTS (SELECT FROM :"schema".:"lease_claim_closures_k" x
                                     WHERE x.job_id = l.job_id AND x.run_lease = l.run_lease OFFSET 0)) AS closures,
       (SELECT count(*) FROM looked) = $1::integer AS is_full, l.job_id, l.run_lease
FROM (VALUES (1)) AS one LEFT JOIN last l ON true
