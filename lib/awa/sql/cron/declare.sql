-- cron/declare: writes one declared schedule, unless it stands there as it is declared. What its fires
-- and a pause have left in the row stays.
-- $1 jsonb: the schedule, an object with the columns' names
INSERT INTO awa.cron_jobs AS c (name, cron_expr, timezone, kind, queue, args, priority, max_attempts, tags,
                                metadata, missed_fire_policy)
SELECT d.name, d.cron_expr, d.timezone, d.kind, d.queue, d.args, d.priority, d.max_attempts, d.tags,
       d.metadata, d.missed_fire_policy
FROM jsonb_to_record($1::jsonb) AS d(name text, cron_expr text, timezone text, kind text, queue text,
    args jsonb, priority smallint, max_attempts smallint, tags text[], metadata jsonb,
    missed_fire_policy text)
ON CONFLICT (name) DO UPDATE
SET cron_expr = EXCLUDED.cron_expr, timezone = EXCLUDED.timezone, kind = EXCLUDED.kind,
    queue = EXCLUDED.queue, args = EXCLUDED.args, priority = EXCLUDED.priority,
    max_attempts = EXCLUDED.max_attempts, tags = EXCLUDED.tags, metadata = EXCLUDED.metadata,
    missed_fire_policy = EXCLUDED.missed_fire_policy, updated_at = now()
WHERE ROW(c.cron_expr, c.timezone, c.kind, c.queue, c.args, c.priority, c.max_attempts, c.tags, c.metadata,
          c.missed_fire_policy)
    IS DISTINCT FROM ROW(EXCLUDED.cron_expr, EXCLUDED.timezone, EXCLUDED.kind, EXCLUDED.queue,
          EXCLUDED.args, EXCLUDED.priority, EXCLUDED.max_attempts, EXCLUDED.tags, EXCLUDED.metadata,
          EXCLUDED.missed_fire_policy)
RETURNING c.name
