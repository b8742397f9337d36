-- rings/queue_has_failed: whether a sealed slot holds failed jobs that are still to be kept.
-- $1 interval: how long failed jobs are kept
SELECT EXISTS (SELECT FROM :"schema".:"done_entries_k" d
               WHERE d.state = 'failed' AND d.finalized_at >= now() - $1::interval) AS has_failed
