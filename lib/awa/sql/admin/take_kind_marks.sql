-- admin/take_kind_marks: takes away the marks of changed kinds in a window of their table, with
-- the schema patch; says of which kinds some are gone, and where the window ended: where it began
-- when they have too long names for one reply, NULL when it was not full.
-- $1 integer: the most marks
-- $2 tid: the place behind which the window begins
WITH looked AS MATERIALIZED (
    SELECT m.ctid AS place, m.kind AS name FROM awa.admin_dirty_kind_marks m WHERE m.ctid > $2::tid LIMIT $1::integer
),
\ir ../parts/marked.sql
, gone AS (
    DELETE FROM awa.admin_dirty_kind_marks m
    WHERE m.ctid = ANY (ARRAY(SELECT l.place FROM looked l JOIN marked n ON n.name = l.name WHERE n.is_taken))
    RETURNING m.kind AS name
)
\ir ../parts/taken.sql
