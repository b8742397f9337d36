-- observe/look: how old the oldest snapshots are by what holds them, and the database's clock.
-- Seconds; a kind that holds nothing is missing. Our own session does not count.
SELECT h.kind, max(h.age)::float8 AS age, extract(epoch FROM clock_timestamp())::float8 AS clock
FROM (
    SELECT CASE a.backend_type WHEN 'walsender' THEN 'walsender' WHEN 'autovacuum worker' THEN 'vacuum'
               ELSE 'session' END AS kind,
           extract(epoch FROM clock_timestamp() - a.xact_start) AS age
    FROM pg_stat_activity a
    WHERE a.backend_xmin IS NOT NULL AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
    UNION ALL
    SELECT 'prepared', extract(epoch FROM clock_timestamp() - p.prepared) FROM pg_prepared_xacts p
    UNION ALL
    SELECT 'none', 0
) h
GROUP BY h.kind
