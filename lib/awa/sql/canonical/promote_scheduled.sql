-- canonical/promote_scheduled: makes the first due scheduled jobs available. The triggers of both tables
-- keep unique claims and dirty keys right and wake the queues; a claim is given up before it is
-- taken again because the new rows are made from the deleted ones.
-- Who is left out is one CASE, which the planner takes for half of the jobs: with the conditions side
-- by side it takes next to none to be left, and reads and sorts the whole backlog for every batch.
-- $1 integer: the most jobs to move, a thousand at most
-- $2 bigint[]: jobs to leave out
-- $3 bigint[]: only these jobs; NULL for any
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), first_due AS MATERIALIZED (
    SELECT s.id, s.run_at FROM awa.scheduled_jobs s
    WHERE s.state = 'scheduled' AND s.run_at <= now() AND EXISTS (SELECT FROM routing)
      AND CASE WHEN s.id = ANY ($2::bigint[]) THEN false
               ELSE $3::bigint[] IS NULL OR s.id = ANY ($3::bigint[]) END
    ORDER BY s.run_at, s.id LIMIT 1000
), due AS MATERIALIZED (
    SELECT s.* FROM (SELECT f.id FROM first_due f ORDER BY f.run_at, f.id LIMIT $1::integer) f
    JOIN awa.scheduled_jobs s ON s.id = f.id
    WHERE s.state = 'scheduled' AND s.run_at <= now()
    FOR UPDATE OF s SKIP LOCKED
), gone AS (
    DELETE FROM awa.scheduled_jobs s USING due d WHERE s.id = d.id RETURNING s.*
), promoted AS (
    INSERT INTO awa.jobs_hot (id, kind, queue, args, state, priority, attempt, max_attempts, run_at,
        attempted_at, finalized_at, created_at, errors, metadata, tags, unique_key, unique_states,
        run_lease, progress)
    SELECT d.id, d.kind, d.queue, d.args, 'available', d.priority, d.attempt, d.max_attempts, now(),
           d.attempted_at, d.finalized_at, d.created_at, d.errors, d.metadata, d.tags, d.unique_key,
           d.unique_states, d.run_lease, d.progress
    FROM gone d ORDER BY d.run_at, d.id
)
SELECT count(*) AS jobs,
       array_agg(LEAST(1e9, 1e3 * extract(epoch FROM clock_timestamp() - GREATEST(
           d.run_at, now() - interval '1 year')))::integer) AS late
FROM due d
