-- admin/take_queue_marks: takes away the marks of changed queues in a window of their table, with
-- the schema patch; says of which queues some are gone, and where the window ended: where it began
-- when they have too long names for one reply, NULL when it was not full. No job has a name
-- of more than 200 letters.
-- $1 integer: the most marks
-- $2 tid: the place behind which the window begins
WITH looked AS MATERIALIZED (
    SELECT m.ctid AS place, m.queue FROM awa.admin_dirty_queue_marks m WHERE m.ctid > $2::tid LIMIT $1::integer
), named AS MATERIALIZED (
    SELECT n.queue, sum(n.bytes) OVER (ORDER BY n.queue) <= 30000 AS is_taken
    FROM (SELECT DISTINCT l.queue, CASE WHEN length(l.queue) <= 200 THEN octet_length(l.queue) + 4 ELSE 0 END AS bytes
          FROM looked l) n
), gone AS (
    DELETE FROM awa.admin_dirty_queue_marks m
    WHERE m.ctid = ANY (ARRAY(SELECT l.place FROM looked l JOIN named n ON n.queue = l.queue WHERE n.is_taken))
    RETURNING m.queue
)
SELECT ARRAY(SELECT DISTINCT g.queue FROM gone g WHERE length(g.queue) <= 200) AS queues,
       CASE WHEN EXISTS (SELECT FROM named n WHERE NOT n.is_taken) THEN $2::tid::text
            ELSE (SELECT CASE WHEN count(*) = $1::integer THEN max(l.place)::text END FROM looked l) END AS place
