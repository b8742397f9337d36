-- rings/lease_proofs: whether one sealed slot of the lease ring still holds a lease.
SELECT EXISTS (SELECT FROM :"schema".:"leases_k") AS has_rows
