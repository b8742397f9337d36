-- cleanup/delete_dead_letters: deletes those of some dead letters whose time is up, and says how many in
-- each of the queues that differ, and in all others; what others have locked is passed over.
-- $1 bigint[]: jobs
-- $2 interval: how long dead letters are kept
-- $3 text[]: queues that differ
-- $4 bigint[]: how long each of them keeps its own, in microseconds
WITH kept AS MATERIALIZED (
    SELECT o.queue, o.kept * interval '1 microsecond' AS kept
    FROM unnest($3::text[], $4::bigint[]) AS o(queue, kept)
), old AS MATERIALIZED (
    SELECT d.job_id
    FROM (SELECT d.job_id, d.queue, d.dlq_at FROM :"schema".dlq_entries d
          WHERE d.job_id = ANY ($1::bigint[])
          FOR UPDATE OF d SKIP LOCKED OFFSET 0) d
    LEFT JOIN kept k ON k.queue = d.queue
    WHERE d.dlq_at < now() - COALESCE(k.kept, $2::interval)
), gone AS (
    DELETE FROM :"schema".dlq_entries d WHERE d.job_id = ANY (ARRAY(SELECT o.job_id FROM old o))
    RETURNING d.queue
)
SELECT k.queue, count(*) AS rows FROM gone g LEFT JOIN kept k ON k.queue = g.queue GROUP BY k.queue
