-- gate/missing_privileges: the rights that the acting role lacks, what is needed first comes first: a row for each
-- object, for the partitions of a table, and for the lanes of each owner. Who needs them, the rights, the first object,
-- the owner of a lane, how many objects.
-- $1 text[]: what each need is about: SCHEMA, TABLE, CHILDREN, FUNCTION, SEQUENCE or LANES
-- $2 text[]: its schema
-- $3 text[]: its name there
-- $4 text[]: its rights, comma between
-- $5 text[]: the branch that needs it
WITH need AS (
    SELECT n.oid AS schema_id, need.kind, need.schema_name, need.name, need.branch, need.place, r.right_name
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
        WITH ORDINALITY AS need (kind, schema_name, name, rights, branch, place)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = need.schema_name
    CROSS JOIN LATERAL pg_catalog.string_to_table(need.rights, ',') AS r (right_name)
), relation AS (
    SELECT need.place, need.branch, need.kind, need.right_name, need.name AS family,
           COALESCE(i.inhrelid, c.oid) AS id, c.relkind, NULL::oid AS lane_owner
    FROM need
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = need.schema_id AND c.relname = need.name
    LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhparent = c.oid AND need.kind = 'CHILDREN'
    WHERE need.kind IN ('TABLE', 'SEQUENCE') OR i.inhrelid IS NOT NULL
    UNION ALL
    SELECT need.place, need.branch, need.kind, need.right_name, '', c.oid, c.relkind, c.relowner
    FROM need
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = need.schema_id
        AND c.relkind = 'S' AND c.relname ~ '^queue_(enqueue|claim)_seq_'
    WHERE need.kind = 'LANES'
), missing AS (
    SELECT r.place, r.branch, r.kind, r.family, r.right_name, r.lane_owner,
           CASE r.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || r.id::regclass::text AS object
    FROM relation AS r
    WHERE NOT CASE r.relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(r.id, r.right_name)
              ELSE pg_catalog.has_table_privilege(r.id, r.right_name) END
    UNION ALL
    SELECT need.place, need.branch, need.kind, need.name, need.right_name, NULL,
           'SCHEMA ' || pg_catalog.quote_ident(need.schema_name)
    FROM need
    WHERE NOT CASE need.kind WHEN 'SCHEMA' THEN pg_catalog.has_schema_privilege(need.schema_id, need.right_name)
              ELSE true END
    UNION ALL
    SELECT need.place, need.branch, need.kind, need.name, need.right_name, NULL,
           'FUNCTION ' || p.oid::regprocedure::text
    FROM need
    JOIN pg_catalog.pg_proc AS p ON p.pronamespace = need.schema_id AND p.proname = need.name
    WHERE NOT CASE need.kind WHEN 'FUNCTION' THEN pg_catalog.has_function_privilege(p.oid, need.right_name)
              ELSE true END
)
SELECT pg_catalog.array_to_string(ARRAY(SELECT b.branch FROM unnest(pg_catalog.array_agg(m.branch),
           pg_catalog.array_agg(m.place)) AS b (branch, place)
           GROUP BY b.branch ORDER BY pg_catalog.min(b.place)), ', ') AS branches,
       pg_catalog.string_agg(DISTINCT m.right_name, ', ') AS rights,
       pg_catalog.min(m.object) AS object,
       pg_catalog.pg_get_userbyid(m.lane_owner)::text AS lane_owner,
       pg_catalog.count(DISTINCT m.object) AS objects
FROM missing AS m
GROUP BY m.kind, m.family, CASE m.kind WHEN 'SCHEMA' THEN m.object END, m.lane_owner
ORDER BY pg_catalog.min(m.place), pg_catalog.min(m.object)
