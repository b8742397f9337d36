-- rings/claim_sizes: which tables of one slot of the claim ring take more than some bytes on the disk.
-- $1 integer: slot
-- $2 bigint: bytes that do not count
SELECT f.family
FROM (VALUES ('lease_claims'),
             ('lease_claim_batches'),
             ('lease_claim_closures'),
             ('lease_claim_closure_batches')) AS f(family)
WHERE pg_relation_size(format('%I.%I', :'schema', f.family || '_' || $1::integer)::regclass) > $2::bigint
