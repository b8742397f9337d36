-- cleanup/delete_ended: deletes those of some canonical jobs that are failed or cancelled and whose time is
-- up; what others have locked is passed over. The triggers of the table give their unique claims back.
-- $1 bigint[]: jobs
-- $2 interval: how long failed and cancelled jobs are kept
-- $3 text[]: queues that differ
-- $4 bigint[]: how long each of them keeps its own, in microseconds
WITH kept AS MATERIALIZED (
    SELECT o.queue, o.kept * interval '1 microsecond' AS kept
    FROM unnest($3::text[], $4::bigint[]) AS o(queue, kept)
), old AS MATERIALIZED (
    SELECT j.id
    FROM (SELECT j.id, j.state, j.queue, j.finalized_at FROM awa.jobs_hot j
          WHERE j.id = ANY ($1::bigint[])
          FOR UPDATE OF j SKIP LOCKED OFFSET 0) j
    LEFT JOIN kept k ON k.queue = j.queue
    WHERE j.state IN ('failed', 'cancelled') AND j.finalized_at < now() - COALESCE(k.kept, $2::interval)
), gone AS (
    DELETE FROM awa.jobs_hot j WHERE j.id = ANY (ARRAY(SELECT o.id FROM old o)) RETURNING j.id
)
SELECT NULL::text AS queue, count(*) AS rows FROM gone g
