-- rings/claim_lock: locks the tables of one slot of the claim ring against everybody, in their order.
LOCK TABLE :"schema".:"lease_claims_k",
           :"schema".:"lease_claim_batches_k",
           :"schema".:"lease_claim_closures_k",
           :"schema".:"lease_claim_closure_batches_k"
IN ACCESS EXCLUSIVE MODE
