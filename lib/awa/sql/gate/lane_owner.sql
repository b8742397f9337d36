-- gate/lane_owner: the role that the lanes belong to, if the acting role is another one; as long as
-- there is no lane, the owner of the schema, whose workers will make the first.
-- $1 text: schema of the queue-storage plane
WITH owner AS (
    SELECT COALESCE(
        (SELECT c.relowner
         FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace = n.oid AND c.relkind = 'S' AND c.relname LIKE 'queue\_enqueue\_seq\_%'
         GROUP BY c.relowner
         ORDER BY pg_catalog.count(*) DESC, c.relowner
         LIMIT 1), n.nspowner) AS id
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname = $1::text
)
SELECT pg_catalog.pg_get_userbyid(id)::text AS owner
FROM owner
WHERE pg_catalog.pg_get_userbyid(id) <> current_user
