-- admin/has_dirty_keys: whether a queue or kind is marked as changed, without the schema patch; and the
-- transactions before which all are over, and before which all have begun.
SELECT EXISTS (SELECT FROM awa.admin_dirty_queues)
           OR EXISTS (SELECT FROM awa.admin_dirty_kinds) AS has_marks,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
