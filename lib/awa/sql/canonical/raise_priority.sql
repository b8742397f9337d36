-- canonical/raise_priority: moves those of some jobs that still wait one priority up, and keeps the one they came
-- with in their metadata; what others have locked is passed over. Metadata that is no object stays as it is.
-- $1 bigint[]: jobs
-- $2 interval: how long they have waited at least
WITH waiting AS MATERIALIZED (
    SELECT j.id FROM awa.jobs_hot j
    WHERE j.id = ANY ($1::bigint[]) AND j.state = 'available' AND j.priority > 1
      AND j.run_at <= now() - $2::interval
    FOR UPDATE OF j SKIP LOCKED
), raised AS (
    UPDATE awa.jobs_hot j
    SET priority = j.priority - 1,
        metadata = CASE WHEN jsonb_typeof(j.metadata) <> 'object' THEN j.metadata
                        ELSE jsonb_build_object('_awa_original_priority', j.priority) || j.metadata END
    WHERE j.id = ANY (ARRAY(SELECT w.id FROM waiting w))
    RETURNING j.id
)
SELECT COALESCE(array_agg(r.id), '{}') AS jobs FROM raised r
