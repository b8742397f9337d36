-- diagnose/horizon: who pins the MVCC horizon of this database, whoever holds the oldest transaction first: kind, pid, name,
-- state, and since how many seconds, NULL where nobody tells. Our own session does not count, nor
-- does a plain VACUUM, whose snapshot keeps nothing.
-- $1 bigint: the most rows
SELECT h.kind, h.pid, h.name, h.state, extract(epoch FROM clock_timestamp() - h.since)::float8 AS seconds
FROM (
    SELECT CASE a.backend_type WHEN 'walsender' THEN 'walsender' WHEN 'autovacuum worker' THEN 'vacuum'
               ELSE 'session' END AS kind,
           a.pid, COALESCE(a.application_name, '') AS name, COALESCE(a.state, '') AS state, a.xact_start AS since,
           COALESCE(a.backend_xmin, a.backend_xid) AS oldest
    FROM pg_stat_activity a
    WHERE COALESCE(a.backend_xmin, a.backend_xid) IS NOT NULL AND a.pid <> pg_backend_pid()
      AND a.pid NOT IN (SELECT v.pid FROM pg_stat_progress_vacuum v)
      AND (a.datname = current_database() OR a.backend_type = 'walsender')
    UNION ALL
    SELECT 'prepared', 0, p.gid, 'prepared', p.prepared, p.transaction
    FROM pg_prepared_xacts p WHERE p.database = current_database()
    UNION ALL
    SELECT 'slot', COALESCE(s.active_pid, 0), s.slot_name::text, CASE WHEN s.active THEN 'active' ELSE 'idle' END, NULL, s.xmin
    FROM pg_replication_slots s WHERE s.xmin IS NOT NULL
) h
ORDER BY age(h.oldest) DESC, h.since
LIMIT $1::bigint
