-- operations/examine: what a batch operation asks for; and why it cannot be carried out, if so: an unknown kind,
-- or a spec or a filter that Awa's own clients do not write. A filter with a key that we do not know might mean fewer
-- jobs than we would change; a key of the spec that we do not know means nothing.
-- $1 uuid: operation
-- $2 text: the plane where jobs are named now
SELECT CASE o.op_kind WHEN 'move_queue' THEN left(o.spec ->> 'queue', 200) END AS queue,
       left(o.spec ->> 'priority', 1) AS priority,
       CASE
           WHEN o.op_kind NOT IN ('set_priority', 'move_queue') THEN 'unknown kind ' || left(o.op_kind, 100)
           WHEN jsonb_typeof(o.spec) <> 'object' THEN 'its spec is no object'
           WHEN COALESCE(o.spec ->> 'op_kind', o.op_kind) <> o.op_kind THEN 'its spec is of another kind'
           WHEN o.op_kind = 'move_queue' AND (jsonb_typeof(o.spec -> 'queue') = 'string') IS NOT TRUE
               THEN 'its spec names no queue'
           WHEN o.op_kind = 'move_queue' AND octet_length(o.spec ->> 'queue') NOT BETWEEN 1 AND 200
               THEN 'the queue in its spec has not 1 to 200 bytes'
           WHEN (o.op_kind = 'set_priority' OR COALESCE(o.spec -> 'priority', 'null') <> 'null')
               AND (jsonb_typeof(o.spec -> 'priority') = 'number' AND o.spec ->> 'priority' IN ('1', '2', '3', '4')) IS NOT TRUE
               THEN 'the priority in its spec is none of 1, 2, 3, 4'
           WHEN jsonb_typeof(o.filter) <> 'object' THEN 'its filter is no object'
           WHEN other.key IS NOT NULL THEN 'its filter has a key that is not known: ' || left(other.key, 100)
           WHEN EXISTS (SELECT FROM jsonb_each(o.filter) f
                        WHERE f.key IN ('kind', 'queue', 'tag', 'state', 'created_at_gte', 'created_at_lt')
                          AND jsonb_typeof(f.value) NOT IN ('string', 'null'))
               THEN 'a key of its filter is no text'
           WHEN jsonb_typeof(COALESCE(o.filter -> 'ids', 'null')) NOT IN ('array', 'null')
               OR jsonb_path_exists(o.filter, 'strict $.ids[*] ? (@.type() != "number" || @ != @.floor())', '{}', true)
               THEN 'the ids in its filter are no list of integers'
           WHEN o.filter ->> 'state' NOT IN ('available', 'scheduled')
               THEN 'the state in its filter is neither available nor scheduled'
           WHEN EXISTS (SELECT FROM jsonb_each_text(o.filter) f
                        WHERE f.key IN ('created_at_gte', 'created_at_lt') AND f.value !~*
                            '^\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(\.\d{1,30})?(z|[+-]\d\d:\d\d)$')
               THEN 'a time in its filter is not as in RFC 3339'
           WHEN o.cursor ->> 'plane' <> $2::text
               THEN 'its jobs were named before the storage changed to ' || $2::text || '; submit it again'
           WHEN o.state = 'running' AND o.cursor ->> 'plane' IS NULL AND EXISTS (
                   SELECT FROM awa.storage_transition_state t WHERE t.state <> 'prepared' AND t.entered_at > o.started_at)
               THEN 'its jobs may have been named before the storage changed; submit it again'
       END AS problem
FROM awa.batch_operations o
CROSS JOIN LATERAL (
    SELECT min(f.key) AS key
    FROM jsonb_each(CASE jsonb_typeof(o.filter) WHEN 'object' THEN o.filter ELSE '{}' END) f
    WHERE f.value <> 'null'
      AND f.key NOT IN ('kind', 'queue', 'ids', 'tag', 'state', 'created_at_gte', 'created_at_lt')
) other
WHERE o.id = $1::uuid
