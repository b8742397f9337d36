-- rings/claim_sizes: which tables of one slot of the claim ring take room on the disk, and whether they are to be truncated.
-- $1 integer: slot
-- $2 bigint: bytes that are not much
SELECT f.family, t.is_truncated
FROM (VALUES ('lease_claims'),
             ('lease_claim_batches'),
             ('lease_claim_closures'),
             ('lease_claim_closure_batches')) AS f(family)
\ir ../parts/room.sql
