-- parts/lanes_owner: CTE owner, the role that lanes shall belong to: the one that those of the schema belong to, if it may do
-- what else is done where a lane may be made (one that only enqueues may not), or else the owner of Awa's tables, whose
-- grants the workers live by; and whether this session may act as it, and does not act as one that was asked for. A few
-- lanes are enough to tell.
owner AS MATERIALIZED (
    SELECT o.id, o.schema_id, current_user = session_user
           AND pg_has_role(session_user, o.id, CASE WHEN current_setting('server_version_num')::integer < 160000
                                               THEN 'MEMBER' ELSE 'SET' END) AS is_ours_to_be
    FROM (SELECT COALESCE(
              (SELECT l.relowner
               FROM (SELECT c.relowner FROM pg_class c
                     WHERE c.relnamespace = n.oid AND c.relkind = 'S' AND c.relname LIKE 'queue\_enqueue\_seq\_%'
                     ORDER BY c.relname LIMIT 20) l
               WHERE has_table_privilege(l.relowner, 'awa.cron_jobs', 'UPDATE')
                 AND has_table_privilege(l.relowner, 'awa.storage_transition_state', 'UPDATE')
               GROUP BY l.relowner ORDER BY count(*) DESC, l.relowner LIMIT 1), h.relowner) AS id, n.oid AS schema_id
          FROM pg_class h JOIN pg_namespace n ON n.oid = h.relnamespace
          WHERE n.nspname = :'schema' AND h.relname = 'queue_enqueue_heads') o)
