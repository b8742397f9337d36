-- window/list_workers: the workers that live, and when each renews its row. Those that are about to end publish
-- nothing any more. Rows hold what their writers like: an interval that makes no sense counts as the usual one, a time
-- that is still to come as the present, and a row from the far future as nobody.
SELECT w.instance_id::text AS id, w.leader AS leads,
       CAST(extract(epoch FROM w.last_seen_at - now()) * 1000 AS bigint) + w.every AS renews_in_ms,
       w.every AS renews_every_ms
FROM (SELECT r.instance_id, r.leader, LEAST(r.last_seen_at, now()) AS last_seen_at,
             CASE WHEN r.snapshot_interval_ms BETWEEN 1000 AND 600000 THEN r.snapshot_interval_ms
                  ELSE 10000 END AS every
      FROM awa.runtime_instances r
      WHERE NOT r.shutting_down AND r.last_seen_at > now() - interval '30 minutes'
        AND r.last_seen_at < now() + interval '1 hour'
        AND r.instance_id <> '6c6f636b-6b65-6570-6572-000000000000') w
WHERE w.last_seen_at > now() - GREATEST(interval '30 seconds', 3 * w.every * interval '1 millisecond')
ORDER BY w.last_seen_at DESC
LIMIT 500
