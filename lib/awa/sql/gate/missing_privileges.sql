-- gate/missing_privileges: the first right that the acting role lacks, and how many there are.
-- $1 text[]: schema of each need
-- $2 text[]: its table
-- $3 text[]: its rights, comma between
-- $4 text[]: the branch that needs it
-- $5 text: schema of the queue-storage plane, or NULL
WITH need AS (
    SELECT n.oid AS schema_id, need.*
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
        WITH ORDINALITY AS need (schema_name, table_name, rights, branch, place)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = need.schema_name
), relation AS (
    SELECT need.*, c.oid
    FROM need
    JOIN pg_catalog.pg_class AS c
        ON c.relnamespace = need.schema_id AND c.relname = need.table_name
    UNION ALL
    SELECT need.*, i.inhrelid
    FROM need
    JOIN pg_catalog.pg_class AS c
        ON c.relnamespace = need.schema_id AND c.relname = need.table_name
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = c.oid
), missing AS (
    SELECT place, branch, right_name, 'TABLE ' || oid::regclass::text AS object,
           NULL::text AS lane_owner
    FROM relation, pg_catalog.string_to_table(rights, ',') AS right_name
    WHERE NOT pg_catalog.has_table_privilege(oid, right_name)
    UNION ALL
    SELECT 0, 'promote_scheduled', 'CREATE', 'SCHEMA ' || pg_catalog.quote_ident($5::text), NULL
    FROM pg_catalog.pg_namespace
    WHERE nspname = $5::text AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT 1000, 'promote_scheduled', 'USAGE, UPDATE', 'SEQUENCE ' || c.oid::regclass::text,
           pg_catalog.pg_get_userbyid(c.relowner)::text
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $5::text AND c.relkind = 'S'
      AND NOT (pg_catalog.has_sequence_privilege(c.oid, 'USAGE')
               AND pg_catalog.has_sequence_privilege(c.oid, 'UPDATE'))
)
SELECT branch, right_name, object, pg_catalog.count(*) OVER () AS missing_in_all, lane_owner
FROM missing
ORDER BY place, object, right_name
LIMIT 1
