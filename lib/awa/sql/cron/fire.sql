-- cron/fire: makes the job of one fire and marks its schedule, both or neither. No row when the schedule
-- is not any more as it was seen, is paused, or when somebody else is at it. The transition row is locked
-- first, if there is one. The job's run_at is the transaction's time: without one Awa takes a moment later,
-- and then the canonical plane wakes no worker. Returns the job, the schedule's new version, and how late
-- it is in microseconds.
-- $1 text: name of the schedule
-- $2 bigint: the fire that was last when it was seen, microseconds since 1970, or NULL
-- $3 bigint: the fire
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), schedule AS MATERIALIZED (
    SELECT c.name FROM awa.cron_jobs c
    WHERE c.name = $1::text AND c.paused_at IS NULL
      AND (extract(epoch FROM c.last_enqueued_at) * 1000000)::bigint IS NOT DISTINCT FROM $2::bigint
      AND (SELECT count(*) FROM routing) >= 0
    FOR UPDATE OF c SKIP LOCKED
), fired AS (
    UPDATE awa.cron_jobs c
    SET last_enqueued_at = timestamptz 'epoch' + $3::bigint * interval '1 microsecond', updated_at = now()
    FROM schedule s
    WHERE c.name = s.name
    RETURNING c.name, c.kind, c.queue, c.args, c.priority, c.max_attempts, c.tags, c.metadata,
              c.last_enqueued_at, hashtextextended(c.name, c.xmin::text::bigint) AS version
)
SELECT job.id, f.version,
       (extract(epoch FROM clock_timestamp() - f.last_enqueued_at) * 1000000)::bigint AS late
FROM fired f
CROSS JOIN LATERAL awa.insert_job_compat(
    f.kind, f.queue, f.args, 'available', f.priority, f.max_attempts, now(),
    f.metadata || jsonb_build_object('cron_name', f.name, 'cron_fire_time', f.last_enqueued_at::text),
    f.tags, NULL, NULL, NULL) AS job
