-- rings/lease_pinned: the oldest lease of one sealed slot of the lease ring, as a reason and a sentence, then the cause
-- as a word, the queue, and since how many seconds.
-- $1 integer: slot
SELECT 'pinned_slot' AS reason,
       format('slot %s: job %s of queue %s has run since %s', $1::integer, l.job_id, l.queue, l.attempted_at) AS sentence,
       'lease' AS cause, l.queue,
       CASE WHEN isfinite(l.attempted_at) THEN extract(epoch FROM now() - GREATEST(l.attempted_at, now() - interval '100 years'))::float8 END AS seconds
FROM :"schema".:"leases_k" l
ORDER BY l.attempted_at LIMIT 1
