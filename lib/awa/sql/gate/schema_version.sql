-- gate/schema_version: the newest migration that schema awa has seen.
SELECT pg_catalog.max(version)::bigint AS version FROM awa.schema_version
