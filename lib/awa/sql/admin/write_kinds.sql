-- admin/write_kinds: writes what was counted of some kinds into Awa's rows about them, and removes those of kinds
-- without jobs. A kind whose row has changed since then is left alone. Says for which it was done,
-- by their places, and how many had been wrong.
-- $1 text[]: the kinds
-- $2 text[]: the versions that their rows had, '' for none
-- $3 bigint[]: for each of them its jobs
WITH asked AS MATERIALIZED (
    SELECT a.place, a.kind, ($3::bigint[])[a.place] AS jobs, k.ref_count AS old_jobs
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a(kind, version, place)
    LEFT JOIN awa.job_kind_catalog k ON k.kind = a.kind
    WHERE COALESCE(k.xmin::text, '') = a.version
), listed AS (
    INSERT INTO awa.job_kind_catalog AS k (kind, ref_count)
    SELECT a.kind, a.jobs FROM asked a WHERE a.jobs > 0 AND a.old_jobs IS DISTINCT FROM a.jobs ORDER BY a.kind
    ON CONFLICT (kind) DO UPDATE SET ref_count = excluded.ref_count
    RETURNING k.kind
), not_listed AS (
    DELETE FROM awa.job_kind_catalog k USING asked a WHERE k.kind = a.kind AND a.jobs = 0
    RETURNING k.kind
)
SELECT ARRAY(SELECT a.place FROM asked a) AS places,
       (SELECT count(*) FROM listed) + (SELECT count(*) FROM not_listed) AS corrected
