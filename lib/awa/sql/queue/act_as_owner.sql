-- queue/act_as_owner: what this transaction makes shall belong to the owner of Awa's tables, whose grants
-- the workers live by, and not to us; unless the session acts as a role that was asked for.
SELECT set_config('role', pg_get_userbyid(c.relowner), true)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :'schema' AND c.relname = 'queue_enqueue_heads'
  AND current_user = session_user AND pg_has_role(session_user, c.relowner, 'MEMBER')
