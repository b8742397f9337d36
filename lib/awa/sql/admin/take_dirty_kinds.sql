-- admin/take_dirty_kinds: takes away the marks of changed kinds in a window of their table, without
-- the schema patch; says of which kinds some are gone, and where the window ended: where it began
-- when they have too long names for one reply, NULL when it was not full. No job has a name
-- of more than 200 letters.
-- $1 integer: the most marks
-- $2 tid: the place behind which the window begins
WITH looked AS MATERIALIZED (
    SELECT m.ctid AS place, m.kind FROM awa.admin_dirty_kinds m WHERE m.ctid > $2::tid LIMIT $1::integer
), named AS MATERIALIZED (
    SELECT n.kind, sum(n.bytes) OVER (ORDER BY n.kind) <= 30000 AS is_taken
    FROM (SELECT DISTINCT l.kind, CASE WHEN length(l.kind) <= 200 THEN octet_length(l.kind) + 4 ELSE 0 END AS bytes
          FROM looked l) n
), gone AS (
    DELETE FROM awa.admin_dirty_kinds m
    WHERE m.ctid = ANY (ARRAY(SELECT l.place FROM looked l JOIN named n ON n.kind = l.kind WHERE n.is_taken))
    RETURNING m.kind
)
SELECT ARRAY(SELECT DISTINCT g.kind FROM gone g WHERE length(g.kind) <= 200) AS kinds,
       CASE WHEN EXISTS (SELECT FROM named n WHERE NOT n.is_taken) THEN $2::tid::text
            ELSE (SELECT CASE WHEN count(*) = $1::integer THEN max(l.place)::text END FROM looked l) END AS place
