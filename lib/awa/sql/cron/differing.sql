-- cron/differing: which of some declared schedules are not in the database as they are declared, by their
-- places among them, from 1.
-- $1 jsonb: the declared ones, a list of objects with the columns' names
SELECT d.place
FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (name text, cron_expr text, timezone text, kind text,
    queue text, args jsonb, priority smallint, max_attempts smallint, tags text[], metadata jsonb,
    missed_fire_policy text)) WITH ORDINALITY
    AS d(name, cron_expr, timezone, kind, queue, args, priority, max_attempts, tags, metadata,
         missed_fire_policy, place)
LEFT JOIN awa.cron_jobs c ON c.name = d.name
WHERE ROW(c.name, c.cron_expr, c.timezone, c.kind, c.queue, c.args, c.priority, c.max_attempts, c.tags,
          c.metadata, c.missed_fire_policy)
    IS DISTINCT FROM ROW(d.name, d.cron_expr, d.timezone, d.kind, d.queue, d.args, d.priority,
          d.max_attempts, d.tags, d.metadata, d.missed_fire_policy)
ORDER BY d.place
