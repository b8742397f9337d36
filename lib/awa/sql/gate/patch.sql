-- gate/patch: whether the wait-free dirty marks are installed in full, since half a patch is none, and whether any
-- part of them is.
WITH part AS (
    SELECT (SELECT pg_catalog.count(*)
            FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = 'awa' AND c.relkind = 'r'
              AND c.relname IN ('admin_dirty_queue_marks', 'admin_dirty_kind_marks')) AS tables,
           (SELECT pg_catalog.count(*)
            FROM pg_catalog.pg_proc AS p
            JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
            WHERE n.nspname = 'awa'
              AND p.proname IN ('mark_dirty_keys_insert', 'mark_dirty_keys_update',
                                'mark_dirty_keys_delete', 'recompute_dirty_admin_metadata',
                                'refresh_admin_metadata')
              AND p.prosrc LIKE '%admin_dirty_queue_marks%'
              AND (p.proname <> 'refresh_admin_metadata' OR p.prosrc !~* 'truncate')) AS functions
)
SELECT tables = 2 AND functions = 5 AS is_patched, tables + functions > 0 AS is_begun
FROM part
