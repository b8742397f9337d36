-- canonical/has_timed_out: whether a parked job of the canonical plane has waited for its callback too long.
-- $1 interval: how long beyond its timeout
SELECT EXISTS (SELECT FROM awa.jobs_hot j
               WHERE j.state = 'waiting_external' AND j.callback_timeout_at < now() - $1::interval) AS canonical
