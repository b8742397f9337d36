-- parts/marked: the names of the marks in CTE looked, and which of them fit into a reply. No job has a name of more than
-- 200 letters.
marked AS MATERIALIZED (
    SELECT n.name, sum(n.bytes) OVER (ORDER BY n.name) <= 30000 AS is_taken
    FROM (SELECT DISTINCT l.name, CASE WHEN length(l.name) <= 200 THEN octet_length(l.name) + 4 ELSE 0 END AS bytes
          FROM looked l) n
)
