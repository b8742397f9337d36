-- window/has_published: whether a worker leads that has written down the schedules it declares. A worker does so in the
-- moments after it has won the lock; where it declares none, its own row says with the next snapshot that it leads.
-- $1 timestamp with time zone: when we let go of the lock
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l
               JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
               WHERE l.locktype = 'advisory' AND l.granted
                 AND l.classid = 1096237407 AND l.objid = 1296124238 AND l.objsubid = 1)
   AND (EXISTS (SELECT FROM awa.cron_jobs c
                HAVING max(c.updated_at) > $1::timestamptz
                   AND max(c.updated_at) < now() - interval '1 second')
        OR EXISTS (SELECT FROM awa.runtime_instances r
                   WHERE r.leader AND r.last_seen_at > $1::timestamptz
                     AND r.last_seen_at < now() - interval '1 second')) AS has_published
