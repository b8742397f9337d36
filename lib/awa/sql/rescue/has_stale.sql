-- rescue/has_stale: whether anything in either plane is old enough to be looked at more closely.
-- $1 interval: staleness
-- $2 interval: how far back to look in the canonical plane; NULL for all the way
SELECT EXISTS (SELECT FROM awa.jobs_hot j
               WHERE j.state = 'running' AND j.heartbeat_at < now() - $1::interval
                 AND j.heartbeat_at >= COALESCE(now() - $2::interval, '-infinity')) AS canonical,
       EXISTS (SELECT FROM :"schema".leases l
               WHERE l.state = 'running' AND GREATEST(l.heartbeat_at, (
                   SELECT s.heartbeat_at FROM :"schema".attempt_state s
                   WHERE s.job_id = l.job_id AND s.run_lease = l.run_lease)) < now() - $1::interval) AS leases,
       EXISTS (SELECT FROM :"schema".lease_claims c
               WHERE c.claimed_at < now() - $1::interval AND c.closed_at IS NULL) AS claims,
       EXISTS (SELECT FROM :"schema".lease_claim_batches b
               WHERE b.claimed_at < now() - $1::interval) AS batches
