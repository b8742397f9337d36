-- rings/claim_sizes: which tables of one slot of the claim ring take room on the disk, and whether it is much.
-- $1 integer: slot
-- $2 bigint: bytes that are not much
SELECT f.family, t.bytes > $2::bigint AS is_large
FROM (VALUES ('lease_claims'),
             ('lease_claim_batches'),
             ('lease_claim_closures'),
             ('lease_claim_closure_batches')) AS f(family)
CROSS JOIN LATERAL pg_relation_size(format('%I.%I', :'schema', f.family || '_' || $1::integer)::regclass) AS t(bytes)
WHERE t.bytes > 0
