-- admin/write_queues: writes what was counted of some queues into Awa's rows about them, and removes those of
-- queues without jobs. A queue whose row has changed since then is left alone. Says for which it was
-- done, by their places, and how many had been wrong.
-- $1 text[]: the queues
-- $2 text[]: the versions that their rows had, '' for none
-- $3 bigint[]: for each of them its jobs by state, in the order of the columns
WITH asked AS MATERIALIZED (
    SELECT a.place, a.queue, c.counts, (SELECT sum(n)::bigint FROM unnest(c.counts) n) AS jobs,
           ARRAY[s.scheduled, s.available, s.running, s.completed, s.retryable, s.failed, s.cancelled,
                 s.waiting_external] AS old_counts, q.ref_count AS old_jobs
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a(queue, version, place)
    CROSS JOIN LATERAL (SELECT ($3::bigint[])[8 * a.place - 7:8 * a.place] AS counts) c
    LEFT JOIN awa.queue_state_counts s ON s.queue = a.queue
    LEFT JOIN awa.job_queue_catalog q ON q.queue = a.queue
    WHERE COALESCE(s.xmin::text, '') = a.version
), counted AS (
    INSERT INTO awa.queue_state_counts AS s (queue, scheduled, available, running, completed, retryable, failed,
                                             cancelled, waiting_external)
    SELECT a.queue, a.counts[1], a.counts[2], a.counts[3], a.counts[4], a.counts[5], a.counts[6], a.counts[7],
           a.counts[8]
    FROM asked a WHERE a.jobs > 0 AND a.old_counts IS DISTINCT FROM a.counts ORDER BY a.queue
    ON CONFLICT (queue) DO UPDATE
    SET scheduled = excluded.scheduled, available = excluded.available, running = excluded.running,
        completed = excluded.completed, retryable = excluded.retryable, failed = excluded.failed,
        cancelled = excluded.cancelled, waiting_external = excluded.waiting_external
    RETURNING s.queue
), listed AS (
    INSERT INTO awa.job_queue_catalog AS q (queue, ref_count)
    SELECT a.queue, a.jobs FROM asked a WHERE a.jobs > 0 AND a.old_jobs IS DISTINCT FROM a.jobs ORDER BY a.queue
    ON CONFLICT (queue) DO UPDATE SET ref_count = excluded.ref_count
    RETURNING q.queue
), not_counted AS (
    DELETE FROM awa.queue_state_counts s USING asked a WHERE s.queue = a.queue AND a.jobs = 0
    RETURNING s.queue
), not_listed AS (
    DELETE FROM awa.job_queue_catalog q USING asked a WHERE q.queue = a.queue AND a.jobs = 0
    RETURNING q.queue
)
SELECT ARRAY(SELECT a.place FROM asked a) AS places,
       (SELECT count(*) FROM (SELECT c.queue FROM counted c UNION SELECT l.queue FROM listed l
                              UNION SELECT n.queue FROM not_counted n UNION SELECT n.queue FROM not_listed n) w)
           AS corrected
