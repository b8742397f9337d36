-- rollup/is_pinned: whether somebody else in this database holds a snapshot for so long that he would miss what
-- is truncated. One that a statement of ordinary traffic takes is over sooner.
-- $1 interval: how long a snapshot may be held
SELECT EXISTS (SELECT FROM pg_stat_activity a
               WHERE a.datname = current_database() AND a.backend_type = 'client backend'
                 AND a.pid <> pg_backend_pid()
                 AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
                 AND a.xact_start < clock_timestamp() - $1::interval) AS is_pinned
