-- check/session: how we are connected and as whom, and what of the server's settings matters: encryption and its protocol,
-- whether the server stands on this host, login and acting role, whether that is a superuser, connections that login and
-- database may have (-1: no limit), whether tables are vacuumed by themselves, which of the roles is named like a schema of Awa.
SELECT COALESCE(s.ssl, false) AS is_encrypted,
       COALESCE(s.version, '') AS protocol,
       inet_client_addr() IS NULL OR inet_client_addr() = inet_server_addr()
           OR inet_client_addr() <<= '127.0.0.0/8'::inet OR inet_client_addr() = '::1'::inet AS is_local,
       session_user::text AS login,
       current_user::text AS role,
       (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) AS is_superuser,
       (SELECT r.rolconnlimit FROM pg_roles r WHERE r.rolname = session_user) AS login_limit,
       (SELECT d.datconnlimit FROM pg_database d WHERE d.datname = current_database()) AS database_limit,
       current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS is_vacuumed,
       (SELECT min(r.name)
        FROM (VALUES (session_user::text), (current_user::text)) AS r (name)
        JOIN pg_namespace n ON n.nspname = r.name
        WHERE n.nspname = 'awa' OR EXISTS (
            SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'queue_ring_state')) AS namesake
FROM (VALUES (true)) AS always (yes)
LEFT JOIN pg_stat_ssl s ON s.pid = pg_backend_pid()
