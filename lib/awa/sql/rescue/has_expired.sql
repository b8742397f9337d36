-- rescue/has_expired: whether anything in either plane is past its deadline.
-- $1 interval: how long past it
-- $2 interval: how far back to look in the canonical plane; NULL for all the way
SELECT EXISTS (SELECT FROM awa.jobs_hot j
               WHERE j.state = 'running' AND j.deadline_at < now() - $1::interval
                 AND j.deadline_at >= COALESCE(now() - $2::interval, '-infinity')) AS canonical,
       EXISTS (SELECT FROM :"schema".leases l
               WHERE l.state = 'running' AND l.deadline_at < now() - $1::interval) AS leases,
       EXISTS (SELECT FROM :"schema".lease_claims c
               WHERE c.deadline_at < now() - $1::interval AND c.closed_at IS NULL) AS claims
