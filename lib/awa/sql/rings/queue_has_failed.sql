-- rings/queue_has_failed: whether a sealed slot holds failed jobs that are still to be kept.
-- $1 interval: how long failed jobs are kept, zero for not at all
-- $2 text[]: queues that differ
-- $3 bigint[]: how long each of them keeps its own, in microseconds
SELECT EXISTS (SELECT FROM :"schema".:"done_entries_k" d
               LEFT JOIN (SELECT o.queue, o.kept * interval '1 microsecond' AS kept
                          FROM unnest($2::text[], $3::bigint[]) AS o(queue, kept)) u ON u.queue = d.queue
               WHERE d.state = 'failed' AND COALESCE(u.kept, $1::interval) > interval '0'
                 AND d.finalized_at >= now() - COALESCE(u.kept, $1::interval)) AS has_failed
