-- window/has_published: whether a worker leads that has written down the schedules it declares, and which, if its
-- own row says so. A worker writes its schedules in the moments after it has won the lock; where it declares none,
-- its row says with the next snapshot that it leads.
-- $1 timestamp with time zone: when we let go of the lock
WITH leader AS (
    SELECT r.instance_id::text AS id FROM awa.runtime_instances r
    WHERE r.leader AND r.last_seen_at > $1::timestamptz AND r.last_seen_at < now() - interval '1 second'
      AND r.instance_id <> '6c6f636b-6b65-6570-6572-000000000000'
    LIMIT 1
), holder AS (
    SELECT FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
    WHERE l.locktype = 'advisory' AND l.granted
      AND l.classid = 1096237407 AND l.objid = 1296124238 AND l.objsubid = 1
)
SELECT EXISTS (SELECT FROM holder)
       AND (EXISTS (SELECT FROM leader)
            OR EXISTS (SELECT FROM awa.cron_jobs c WHERE c.updated_at <= now()
                       HAVING max(c.updated_at) > $1::timestamptz
                          AND max(c.updated_at) < now() - interval '1 second')) AS has_published,
       (SELECT l.id FROM leader l WHERE EXISTS (SELECT FROM holder)) AS leader
