-- canonical/has_expired: whether a running job of the canonical plane is past its deadline.
-- $1 interval: how long past it
SELECT EXISTS (SELECT FROM awa.jobs_hot j
               WHERE j.state = 'running' AND j.deadline_at < now() - $1::interval) AS canonical
