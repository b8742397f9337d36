-- queue/act_as_owner: what this transaction makes shall belong to the role that the lanes belong to, or as long as there is
-- none, to the owner of Awa's tables, whose grants the workers live by; and not to us, unless we may not act as that role,
-- or the session acts as one that was asked for. A few lanes are enough to tell. A role that only enqueues could not do what
-- else is done here.
WITH lanes AS (
    SELECT h.seq_name FROM :"schema".queue_enqueue_heads h
    WHERE h.seq_name IS NOT NULL
    ORDER BY h.queue, h.priority, h.enqueue_shard LIMIT 20
), owner AS MATERIALIZED (
    SELECT COALESCE(
        (SELECT s.relowner FROM lanes l JOIN pg_class s ON s.relnamespace = n.oid AND s.relname = l.seq_name
         WHERE has_table_privilege(s.relowner, 'awa.cron_jobs', 'UPDATE')
           AND has_table_privilege(s.relowner, 'awa.storage_transition_state', 'UPDATE')
         GROUP BY s.relowner ORDER BY count(*) DESC, s.relowner LIMIT 1), c.relowner) AS id
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :'schema' AND c.relname = 'queue_enqueue_heads'
)
SELECT set_config('role', pg_get_userbyid(o.id), true)
FROM owner o
WHERE current_user = session_user
  AND pg_has_role(session_user, o.id, CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END)
