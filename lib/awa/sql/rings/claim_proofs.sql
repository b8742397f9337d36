-- rings/claim_proofs: whether one sealed slot of the claim ring holds anything, and open claims.
SELECT EXISTS (SELECT FROM :"schema".:"lease_claims_k") OR EXISTS (SELECT FROM :"schema".:"lease_claim_batches_k")
    OR EXISTS (SELECT FROM :"schema".:"lease_claim_closures_k")
    OR EXISTS (SELECT FROM :"schema".:"lease_claim_closure_batches_k") AS has_rows,
       (SELECT count(*) FROM :"schema".:"lease_claims_k")
     + (SELECT COALESCE(sum(b.claimed_count), 0) FROM :"schema".:"lease_claim_batches_k" b)
    <> (SELECT count(*) FROM :"schema".:"lease_claim_closures_k")
     + (SELECT COALESCE(sum(x.closed_count), 0) FROM :"schema".:"lease_claim_closure_batches_k" x) AS is_open
