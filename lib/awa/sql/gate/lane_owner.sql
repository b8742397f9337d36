-- gate/lane_owner: the role that the lanes belong to, if the acting role is another one and does not let it use
-- the lanes that it makes itself; as long as there is no lane, the owner of the schema, whose workers will
-- make the first.
-- $1 text: schema of the queue-storage plane
WITH owner AS (
    SELECT n.oid AS schema_id, COALESCE(
        (SELECT c.relowner
         FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace = n.oid AND c.relkind = 'S' AND c.relname LIKE 'queue\_enqueue\_seq\_%'
         GROUP BY c.relowner
         ORDER BY pg_catalog.count(*) DESC, c.relowner
         LIMIT 1), n.nspowner) AS id
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname = $1::text
)
SELECT pg_catalog.pg_get_userbyid(o.id)::text AS owner
FROM owner AS o
WHERE pg_catalog.pg_get_userbyid(o.id) <> current_user
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_default_acl AS d
      CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a
      WHERE d.defaclrole = pg_catalog.quote_ident(current_user)::regrole AND d.defaclobjtype = 'S'
        AND d.defaclnamespace IN (0, o.schema_id) AND a.grantee = o.id AND a.privilege_type = 'UPDATE')
