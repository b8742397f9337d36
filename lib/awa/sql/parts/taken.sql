-- parts/taken: the names of CTE gone, and where the window of CTE looked ended.
-- $1 integer: the most marks
-- $2 tid: the place behind which the window begins
SELECT ARRAY(SELECT DISTINCT g.name FROM gone g WHERE length(g.name) <= 200) AS names,
       CASE WHEN EXISTS (SELECT FROM marked n WHERE NOT n.is_taken) THEN $2::tid::text
            ELSE (SELECT CASE WHEN count(*) = $1::integer THEN max(l.place)::text END FROM looked l) END AS place
