-- admin/postpone_dirty_keys: puts the queue and the kind that have waited longest behind all others, without the
-- schema patch. Rows that somebody else holds are left alone.
WITH queues AS (
    UPDATE awa.admin_dirty_queues m SET touched_at = clock_timestamp()
    WHERE m.ctid = ANY (ARRAY(
        SELECT o.ctid FROM awa.admin_dirty_queues o
        WHERE o.queue = (SELECT f.queue FROM awa.admin_dirty_queues f
                         ORDER BY f.touched_at, f.queue LIMIT 1)
        FOR UPDATE SKIP LOCKED))
    RETURNING 1
), kinds AS (
    UPDATE awa.admin_dirty_kinds m SET touched_at = clock_timestamp()
    WHERE m.ctid = ANY (ARRAY(
        SELECT o.ctid FROM awa.admin_dirty_kinds o
        WHERE o.kind = (SELECT f.kind FROM awa.admin_dirty_kinds f
                        ORDER BY f.touched_at, f.kind LIMIT 1)
        FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT (SELECT count(*) FROM queues q) + (SELECT count(*) FROM kinds k) AS postponed
