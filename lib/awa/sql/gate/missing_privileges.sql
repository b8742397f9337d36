-- gate/missing_privileges: the rights that the acting role lacks, what is needed first comes first: a row for each table
-- with its children, and one for the sequences of each owner. The first branch, the rights, the first object, how many
-- more rights are missing elsewhere, the owner of a lane, all branches, how many objects.
-- $1 text[]: schema of each need
-- $2 text[]: its table
-- $3 text[]: its rights, comma between
-- $4 text[]: the branch that needs it
-- $5 text: schema of the queue-storage plane, or NULL
-- $6 bigint: the most rows
WITH need AS (
    SELECT n.oid AS schema_id, need.*
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
        WITH ORDINALITY AS need (schema_name, table_name, rights, branch, place)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = need.schema_name
), relation AS (
    SELECT need.*, c.oid, c.oid AS family
    FROM need
    JOIN pg_catalog.pg_class AS c
        ON c.relnamespace = need.schema_id AND c.relname = need.table_name
    UNION ALL
    SELECT need.*, i.inhrelid, c.oid
    FROM need
    JOIN pg_catalog.pg_class AS c
        ON c.relnamespace = need.schema_id AND c.relname = need.table_name
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = c.oid
), missing AS (
    SELECT place, branch, right_name, 'TABLE ' || oid::regclass::text AS object,
           'TABLE ' || family::regclass::text AS family, NULL::text AS lane_owner
    FROM relation, pg_catalog.string_to_table(rights, ',') AS right_name
    WHERE NOT pg_catalog.has_table_privilege(oid, right_name)
    UNION ALL
    SELECT 0, 'promote_scheduled', 'CREATE', 'SCHEMA ' || pg_catalog.quote_ident($5::text), 'SCHEMA', NULL
    FROM pg_catalog.pg_namespace
    WHERE nspname = $5::text AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT 1000, 'promote_scheduled', right_name, 'SEQUENCE ' || c.oid::regclass::text, 'SEQUENCE',
           pg_catalog.pg_get_userbyid(c.relowner)::text
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN pg_catalog.unnest(ARRAY['SELECT', 'UPDATE', 'USAGE']) AS right_name
    WHERE n.nspname = $5::text AND c.relkind = 'S'
      AND NOT pg_catalog.has_sequence_privilege(c.oid, right_name)
)
SELECT (pg_catalog.array_agg(branch ORDER BY place, object))[1] AS branch,
       pg_catalog.string_agg(DISTINCT right_name, ', ') AS rights,
       pg_catalog.min(object) AS object,
       (pg_catalog.sum(pg_catalog.count(DISTINCT ROW (object, right_name))) OVER ()
        - pg_catalog.count(DISTINCT ROW (object, right_name)))::bigint AS more,
       lane_owner,
       pg_catalog.string_agg(DISTINCT branch, ', ') AS branches,
       pg_catalog.count(DISTINCT object) AS objects
FROM missing
GROUP BY family, lane_owner
ORDER BY pg_catalog.min(place), pg_catalog.min(object)
LIMIT $6::bigint
