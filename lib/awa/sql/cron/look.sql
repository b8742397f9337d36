-- cron/look: how many schedules there are, a number that is another one when any row has changed, and
-- the clock, in microseconds since 1970. No column is read that could be large.
SELECT count(*) AS schedules,
       COALESCE(bit_xor(hashtextextended(c.name, c.xmin::text::bigint)), 0) AS digest,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock
FROM awa.cron_jobs c
