-- admin/has_dirty_keys: whether a queue or kind is marked as changed, without the schema patch.
SELECT EXISTS (SELECT FROM awa.admin_dirty_queues)
           OR EXISTS (SELECT FROM awa.admin_dirty_kinds) AS has_marks
