-- admin/next_names: a page of the queues and one of the kinds that have jobs, or rows of Awa that count them, by
-- their names. A row for each page, queues first; a page ends early where it would be too large for
-- a reply.
-- $1 text: the queue behind which the page begins, NULL for the first
-- $2 text: the kind behind which the page begins, NULL for the first
-- $3 integer: the most queues, and the most kinds
WITH RECURSIVE queues AS (
    SELECT $1::text AS name, 0 AS place WHERE $1::text IS NOT NULL
    UNION ALL
    SELECT (SELECT min(n.queue)
            FROM (SELECT h.queue FROM awa.jobs_hot h UNION ALL SELECT d.queue FROM awa.scheduled_jobs d
                  UNION ALL SELECT s.queue FROM awa.queue_state_counts s
                  UNION ALL SELECT c.queue FROM awa.job_queue_catalog c) n), 1
    WHERE $1::text IS NULL
    UNION ALL
    SELECT (SELECT min(n.queue)
            FROM (SELECT h.queue FROM awa.jobs_hot h UNION ALL SELECT d.queue FROM awa.scheduled_jobs d
                  UNION ALL SELECT s.queue FROM awa.queue_state_counts s
                  UNION ALL SELECT c.queue FROM awa.job_queue_catalog c) n
            WHERE n.queue > q.name), q.place + 1
    FROM queues q WHERE q.place < $3::integer AND q.name IS NOT NULL
), kinds AS (
    SELECT $2::text AS name, 0 AS place WHERE $2::text IS NOT NULL
    UNION ALL
    SELECT (SELECT min(n.kind)
            FROM (SELECT h.kind FROM awa.jobs_hot h UNION ALL SELECT d.kind FROM awa.scheduled_jobs d
                  UNION ALL SELECT c.kind FROM awa.job_kind_catalog c) n), 1
    WHERE $2::text IS NULL
    UNION ALL
    SELECT (SELECT min(n.kind)
            FROM (SELECT h.kind FROM awa.jobs_hot h UNION ALL SELECT d.kind FROM awa.scheduled_jobs d
                  UNION ALL SELECT c.kind FROM awa.job_kind_catalog c) n
            WHERE n.kind > k.name), k.place + 1
    FROM kinds k WHERE k.place < $3::integer AND k.name IS NOT NULL
)
SELECT ARRAY(SELECT f.name
             FROM (SELECT q.name, q.place, sum(octet_length(q.name) + 4) OVER (ORDER BY q.place) AS bytes
                   FROM queues q WHERE q.place > 0 AND q.name IS NOT NULL) f
             WHERE f.bytes <= 30000 OR f.place = 1 ORDER BY f.place) AS names
UNION ALL
SELECT ARRAY(SELECT f.name
             FROM (SELECT k.name, k.place, sum(octet_length(k.name) + 4) OVER (ORDER BY k.place) AS bytes
                   FROM kinds k WHERE k.place > 0 AND k.name IS NOT NULL) f
             WHERE f.bytes <= 30000 OR f.place = 1 ORDER BY f.place)
