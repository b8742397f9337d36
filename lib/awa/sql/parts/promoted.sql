-- parts/promoted: makes the jobs of CTEs first_due and these available: how many, and how many milliseconds late each is.
, due AS MATERIALIZED (
    SELECT f.* FROM first_due f UNION ALL SELECT t.* FROM these t
), gone AS (
    DELETE FROM awa.scheduled_jobs s WHERE s.id = ANY (ARRAY(SELECT d.id FROM due d)) RETURNING s.*
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
