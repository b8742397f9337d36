-- admin/has_marks: whether a queue or kind is marked as changed, with the schema patch.
SELECT EXISTS (SELECT FROM awa.admin_dirty_queue_marks)
           OR EXISTS (SELECT FROM awa.admin_dirty_kind_marks) AS has_marks
