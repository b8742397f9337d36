-- cron/gone: which of the schedules that were known are there no more.
-- $1 bigint[]: their ids
SELECT known.id
FROM unnest($1::bigint[]) AS known(id)
WHERE NOT EXISTS (SELECT FROM awa.cron_jobs c WHERE hashtextextended(c.name, 0) = known.id)
LIMIT 2000
