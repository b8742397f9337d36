-- observe/look: how old the oldest snapshot is by what holds it, in seconds, and the database's clock.
-- A standby and a replication slot tell no time: of theirs the oldest transaction is given, as long as
-- it holds anything back. Our own session does not count, nor does one of another database, nor a plain
-- VACUUM, whose snapshot keeps nothing.
WITH holder AS (
    SELECT CASE a.backend_type WHEN 'walsender' THEN 'walsender' WHEN 'autovacuum worker' THEN 'vacuum'
               ELSE 'session' END AS kind,
           a.xact_start AS since, COALESCE(a.backend_xmin, a.backend_xid) AS oldest
    FROM pg_stat_activity a
    WHERE COALESCE(a.backend_xmin, a.backend_xid) IS NOT NULL AND a.pid <> pg_backend_pid()
      AND a.pid NOT IN (SELECT v.pid FROM pg_stat_progress_vacuum v)
      AND (a.datname = current_database() OR a.backend_type = 'walsender')
    UNION ALL
    SELECT 'prepared', p.prepared, p.transaction FROM pg_prepared_xacts p WHERE p.database = current_database()
    UNION ALL
    SELECT 'slot', NULL, s.xmin FROM pg_replication_slots s WHERE s.xmin IS NOT NULL
    UNION ALL
    SELECT 'none', NULL, NULL
)
SELECT h.kind, extract(epoch FROM clock_timestamp() - min(h.since))::float8 AS age,
       (array_agg(h.oldest ORDER BY age(h.oldest) DESC)
        FILTER (WHERE h.since IS NULL AND age(h.oldest) > 0))[1]::text AS oldest,
       extract(epoch FROM clock_timestamp())::float8 AS clock
FROM holder h
GROUP BY h.kind
