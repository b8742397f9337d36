-- cleanup/look_at_marks: whether there are marks of changed queues and kinds, and whether the tables of
-- either have grown large.
-- $1 bigint: bytes that are not large
SELECT EXISTS (SELECT FROM awa.admin_dirty_queue_marks)
           OR EXISTS (SELECT FROM awa.admin_dirty_kind_marks) AS has_marks,
       pg_relation_size('awa.admin_dirty_queue_marks') > $1::bigint AS has_many_queues,
       pg_relation_size('awa.admin_dirty_kind_marks') > $1::bigint AS has_many_kinds
