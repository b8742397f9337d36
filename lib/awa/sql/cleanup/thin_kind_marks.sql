-- cleanup/thin_kind_marks: puts one mark, as old as the oldest, in the place of all marks of a kind in a window
-- of their table; says how many fewer there are, and where the window ended if it was full. What
-- somebody else takes away meanwhile stands for nothing any more and is not put back.
-- $1 integer: the most marks to look at
-- $2 tid: the place behind which the look begins
WITH looked AS MATERIALIZED (
    SELECT m.ctid AS place, m.kind FROM awa.admin_dirty_kind_marks m WHERE m.ctid > $2::tid LIMIT $1::integer
), repeated AS (
    SELECT c.place FROM (SELECT l.place, count(*) OVER (PARTITION BY l.kind) AS marks FROM looked l) c
    WHERE c.marks > 1
), gone AS (
    DELETE FROM awa.admin_dirty_kind_marks m WHERE m.ctid = ANY (ARRAY(SELECT r.place FROM repeated r))
    RETURNING m.kind, m.touched_at
), kept AS (
    INSERT INTO awa.admin_dirty_kind_marks AS k (kind, touched_at)
    SELECT g.kind, min(g.touched_at) FROM gone g GROUP BY g.kind
    RETURNING k.kind
)
SELECT (SELECT count(*) FROM gone g) - (SELECT count(*) FROM kept k) AS fewer,
       (SELECT CASE WHEN count(*) = $1::integer THEN max(l.place)::text END FROM looked l) AS ended_at
