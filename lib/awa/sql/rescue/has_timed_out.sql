-- rescue/has_timed_out: whether a parked job in either plane has waited for its callback too long.
-- $1 interval: how long beyond its timeout
-- $2 interval: how far back to look in the canonical plane; NULL for all the way
SELECT EXISTS (SELECT FROM awa.jobs_hot j
               WHERE j.state = 'waiting_external' AND j.callback_timeout_at < now() - $1::interval
                 AND j.callback_timeout_at >= COALESCE(now() - $2::interval, '-infinity')) AS canonical,
       EXISTS (SELECT FROM :"schema".leases l
               WHERE l.state = 'waiting_external' AND l.callback_timeout_at < now() - $1::interval) AS leases
