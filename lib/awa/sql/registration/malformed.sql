-- registration/malformed: rows of processes that say what cannot be, and what it is. Nothing else of ours believes such
-- a value: a row from the future counts as nobody, an interval without sense as the usual one, queues that are no
-- list as none. Awa itself does: queues that it cannot read keep its workers from starting and its runtime page from
-- being shown, hashes that are no object the pages of queues and kinds.
-- $1 integer: the most rows
SELECT f.id, f.fault
FROM (SELECT r.instance_id::text AS id,
             CASE WHEN r.last_seen_at >= now() + interval '1 hour'
                  THEN 'last_seen_at lies more than an hour ahead'
                  WHEN r.snapshot_interval_ms NOT BETWEEN 1 AND 86400000
                  THEN format('snapshot_interval_ms is %s, not 1 ms to a day', r.snapshot_interval_ms)
                  WHEN jsonb_typeof(r.queues) <> 'array'
                  THEN format('queues is no list but %s', jsonb_typeof(r.queues))
                  WHEN jsonb_path_exists(r.queues, 'strict $[*] ? (@.type() != "object")')
                  THEN 'queues is a list of other things than objects'
                  WHEN EXISTS (SELECT FROM jsonb_array_elements(r.queues) q
                               CROSS JOIN LATERAL (SELECT q -> 'config' AS config) c
                               WHERE (jsonb_typeof(q -> 'queue') = 'string'
                                   AND jsonb_typeof(q -> 'in_flight') = 'number'
                                   AND config ->> 'mode' IN ('hard_reserved', 'weighted')
                                   AND jsonb_typeof(config -> 'poll_interval_ms') = 'number'
                                   AND jsonb_typeof(config -> 'deadline_duration_secs') = 'number'
                                   AND jsonb_typeof(config -> 'priority_aging_interval_secs') = 'number') IS NOT TRUE)
                  THEN 'queues has an object that is no queue of a worker'
                  WHEN jsonb_typeof(r.queue_descriptor_hashes) <> 'object'
                  THEN 'queue_descriptor_hashes is no object'
                  WHEN jsonb_typeof(r.job_kind_descriptor_hashes) <> 'object'
                  THEN 'job_kind_descriptor_hashes is no object'
             END AS fault
      FROM awa.runtime_instances r) f
WHERE f.fault IS NOT NULL
ORDER BY f.id
LIMIT $1::integer
