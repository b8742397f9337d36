-- gate/lane_owner: the role that the lanes belong to, if those that this session makes will belong to another one, and that
-- does not let it use them.
WITH
\ir ../parts/lanes_owner.sql
SELECT pg_get_userbyid(o.id)::text AS owner
FROM owner o
WHERE NOT o.is_ours_to_be AND pg_get_userbyid(o.id) <> current_user
  AND NOT EXISTS (
      SELECT FROM pg_default_acl d
      CROSS JOIN LATERAL aclexplode(d.defaclacl) a
      WHERE d.defaclrole = quote_ident(current_user)::regrole AND d.defaclobjtype = 'S'
        AND d.defaclnamespace IN (0, o.schema_id) AND a.grantee = o.id AND a.privilege_type = 'UPDATE')
