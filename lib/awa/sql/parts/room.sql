-- parts/room: of the tables of one slot in CTE f, those that take room on the disk, with what is stored out of line; and
-- whether they are to be truncated: it is much, or rows may not be deleted, since deletes are published and nothing
-- tells the rows apart.
-- $1 integer: slot
-- $2 bigint: bytes that are not much
CROSS JOIN LATERAL (
    SELECT pg_relation_size(c.oid) + COALESCE(pg_relation_size(NULLIF(c.reltoastrelid, 0)), 0) AS bytes,
           (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
               SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
           AND EXISTS (SELECT FROM pg_publication p WHERE p.pubdelete) AS is_fixed
    FROM pg_class c
    WHERE c.oid = format('%I.%I', :'schema', f.family || '_' || $1::integer)::regclass) room
CROSS JOIN LATERAL (SELECT room.bytes > $2::bigint OR room.is_fixed AS is_truncated) t
WHERE room.bytes > 0
