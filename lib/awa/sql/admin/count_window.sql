-- admin/count_window: how many jobs of some queues in each state, and of some kinds, are in a window of one of the two
-- tables of jobs, by their numbers; and where the window ended, NULL if it was not full. One row at
-- least; the name stands for its place among the given ones, and a kind has no state.
-- $1 boolean: of the table of scheduled and retryable jobs
-- $2 bigint: the job behind which the window begins
-- $3 integer: the most jobs to look at
-- $4 text[]: the queues
-- $5 text[]: the kinds
WITH looked AS MATERIALIZED (
    (SELECT h.id, h.queue, h.kind, h.state FROM awa.jobs_hot h
     WHERE NOT $1::boolean AND h.id > $2::bigint ORDER BY h.id LIMIT $3::integer)
    UNION ALL
    (SELECT d.id, d.queue, d.kind, d.state FROM awa.scheduled_jobs d
     WHERE $1::boolean AND d.id > $2::bigint ORDER BY d.id LIMIT $3::integer)
), grouped AS (
    SELECT array_position($4::text[], l.queue) AS name, l.state::text AS state, count(*) AS jobs
    FROM looked l WHERE l.queue = ANY ($4::text[]) GROUP BY l.queue, l.state
    UNION ALL
    SELECT array_position($5::text[], l.kind), NULL, count(*)
    FROM looked l WHERE l.kind = ANY ($5::text[]) GROUP BY l.kind
)
SELECT ended.place, g.name, g.state, g.jobs
FROM (SELECT CASE WHEN count(*) = $3::integer THEN max(l.id) END AS place FROM looked l) ended
LEFT JOIN grouped g ON true
