-- operations/change_deferred: gives deferred jobs another queue or priority, and counts them as done; those that
-- somebody holds are left out. Says also how many might have been changed. What a job had at first stays in its metadata; one whose
-- metadata is no object is an error. Of the payload stays what Awa's clients know and is not empty.
-- $1 uuid: operation
-- $2 bigint[]: jobs
-- $3 text: queue, NULL for the one that they have
-- $4 integer: priority, NULL for the one that they have
WITH held AS MATERIALIZED (
    SELECT j.job_id
    FROM :"schema".deferred_jobs j
    WHERE j.job_id = ANY ($2::bigint[]) AND j.state = 'scheduled'
      AND (j.queue <> $3::text OR j.priority <> $4::integer)
    FOR UPDATE OF j SKIP LOCKED
), changed AS (
    UPDATE :"schema".deferred_jobs j
    SET queue = COALESCE($3::text, j.queue), priority = COALESCE($4::integer, j.priority),
        payload = (
            SELECT jsonb_object_agg(p.key, p.value)
            FROM (SELECT COALESCE(j.payload -> 'metadata', '{}') AS metadata OFFSET 0) m
            CROSS JOIN LATERAL jsonb_each(COALESCE(j.payload, '{}') || jsonb_build_object('metadata',
                CASE WHEN jsonb_typeof(m.metadata) = 'object' THEN jsonb_strip_nulls(jsonb_build_object(
                    '_awa_original_queue', CASE WHEN $3::text IS NOT NULL THEN j.queue END,
                    '_awa_original_priority', CASE WHEN $4::integer IS NOT NULL THEN j.priority END)) || m.metadata
                -- No number: the cast fails, and its message says why the item is errored.
                ELSE to_jsonb(('metadata is no JSON object but ' || jsonb_typeof(m.metadata))::integer) END)) p
            WHERE p.value <> 'null' AND (p.key IN ('metadata', 'progress')
                OR p.key IN ('tags', 'errors') AND p.value <> '[]'))
    WHERE j.job_id = ANY (ARRAY(SELECT h.job_id FROM held h))
    RETURNING j.job_id
), item AS (
    UPDATE awa.batch_operation_items i SET state = 'processed', processed_at = clock_timestamp()
    WHERE i.state = 'pending' AND i.ctid = ANY (ARRAY(
        SELECT n.ctid FROM changed c CROSS JOIN LATERAL (
            SELECT n.ctid FROM awa.batch_operation_items n
            WHERE n.operation_id = $1::uuid AND n.job_id = c.job_id AND n.state = 'pending' OFFSET 0) n))
    RETURNING i.job_id
), operation AS (
    UPDATE awa.batch_operations o
    SET processed = o.processed + (SELECT count(*) FROM item), updated_at = clock_timestamp()
    WHERE o.id = $1::uuid
)
SELECT count(*) AS done,
       (SELECT count(*) FROM :"schema".deferred_jobs j WHERE j.job_id = ANY ($2::bigint[]) AND j.state = 'scheduled'
            AND (j.queue <> $3::text OR j.priority <> $4::integer)) AS eligible
FROM changed c
