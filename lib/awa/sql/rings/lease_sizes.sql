-- rings/lease_sizes: which tables of one slot of the lease ring take more than some bytes on the disk.
-- $1 integer: slot
-- $2 bigint: bytes that do not count
SELECT f.family
FROM (VALUES ('leases')) AS f(family)
WHERE pg_relation_size(format('%I.%I', :'schema', f.family || '_' || $1::integer)::regclass) > $2::bigint
