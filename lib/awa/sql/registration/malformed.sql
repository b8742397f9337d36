-- registration/malformed: rows of processes that say what cannot be, and what it is. Nothing else believes such a
-- value: a row from the future counts as nobody, an interval without sense as the usual one, queues that are no
-- list as none.
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
             END AS fault
      FROM awa.runtime_instances r) f
WHERE f.fault IS NOT NULL
ORDER BY f.id
LIMIT $1::integer
