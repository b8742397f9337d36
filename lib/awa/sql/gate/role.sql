-- gate/role: who asks, whether this role may look into schema awa at all, whether it sees what other roles run, and
-- whether it may end the sessions of those who own Awa's objects.
SELECT current_user::text AS role,
       pg_catalog.current_database()::text AS database,
       EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'awa') AS has_schema,
       COALESCE((SELECT pg_catalog.has_schema_privilege(oid, 'USAGE')
                 FROM pg_catalog.pg_namespace WHERE nspname = 'awa'), false) AS may_use,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
       pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
       OR EXISTS (SELECT FROM pg_catalog.pg_namespace
                  WHERE nspname = 'awa' AND pg_catalog.pg_has_role(nspowner, 'USAGE')) AS ends_sessions
