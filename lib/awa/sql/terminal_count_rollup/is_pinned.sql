-- terminal_count_rollup/is_pinned: whether somebody else in this database holds a snapshot for so long that he would miss what
-- is truncated. One that a statement of ordinary traffic takes is over sooner. Without pg_read_all_stats nobody tells
-- what sessions of other roles are, and for how long they have had theirs: then any snapshot counts.
-- $1 interval: how long a snapshot may be held
SELECT EXISTS (SELECT FROM pg_stat_activity a
               WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                 AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
                 AND (a.backend_type IS NULL OR a.backend_type = 'client backend'
                      AND a.xact_start < clock_timestamp() - $1::interval)) AS is_pinned
