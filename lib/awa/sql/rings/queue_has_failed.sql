-- rings/queue_has_failed: whether a sealed slot holds failed jobs that are still to be kept.
-- $1 interval: how long failed jobs are kept, zero for not at all
SELECT EXISTS (SELECT FROM :"schema".:"done_entries_k" d
               WHERE d.state = 'failed' AND $1::interval > interval '0'
                 AND d.finalized_at >= now() - $1::interval) AS has_failed
