-- canonical/promote_retryable: makes the first due retryable jobs available; what others have locked is
-- passed over. The triggers of both tables keep unique claims and dirty keys right and wake the
-- queues; a claim is given up before it is taken again because the new rows are made from the
-- deleted ones. Asked for some jobs by name, it does not look at any other.
-- The transition row is locked first, if there is one.
-- $1 integer: the most jobs to move, a thousand at most
-- $2 bigint[]: jobs to leave out
-- $3 bigint[]: only these jobs; NULL for any
-- $4 interval: how far back to look; NULL for all the way
WITH routing AS MATERIALIZED (
    SELECT s.state FROM awa.storage_transition_state s FOR SHARE
), first_due AS MATERIALIZED (
    SELECT f.* FROM (
        SELECT s.* FROM awa.scheduled_jobs s
        WHERE s.state = 'retryable' AND s.run_at <= now()
          AND s.run_at >= COALESCE(now() - $4::interval, '-infinity')
          AND $3::bigint[] IS NULL AND (SELECT count(*) FROM routing) >= 0
          AND s.id NOT IN (SELECT o.id FROM unnest($2::bigint[]) AS o(id))
        ORDER BY s.run_at, s.id LIMIT 1000
        FOR UPDATE OF s SKIP LOCKED) f
    LIMIT $1::integer
), these AS MATERIALIZED (
    SELECT s.*
    FROM (SELECT s.* FROM awa.scheduled_jobs s
          WHERE s.id = ANY ($3::bigint[]) AND (SELECT count(*) FROM routing) >= 0
          FOR UPDATE OF s SKIP LOCKED OFFSET 0) s
    WHERE s.state = 'retryable' AND s.run_at <= now()
)
\ir ../parts/promoted.sql
