-- gate/give_back_locks: gives back the advisory locks of this session, but for those that it means to hold, and says how
-- many. Awa's function that sets a lane's number takes one beyond its transaction, and a cancel in the middle leaves it.
-- $1 bigint[]: keys that the session means to hold
WITH held AS MATERIALIZED (
    SELECT (l.classid::bigint << 32) | l.objid::bigint AS key
    FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
    WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.objsubid = 1
)
SELECT count(*) FILTER (WHERE pg_advisory_unlock(h.key)) AS locks FROM held h WHERE h.key <> ALL ($1::bigint[])
