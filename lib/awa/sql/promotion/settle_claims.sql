-- promotion/settle_claims: moves the unique claims of jobs that are about to become available.
-- Returns the jobs whose key another job holds. May wait for a producer that inserts the same key.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: jobs, locked by this transaction
WITH job AS MATERIALIZED (
    SELECT d.job_id, d.unique_key, d.run_at,
           substr(d.unique_states, CASE d.state WHEN 'scheduled' THEN 1 ELSE 5 END, 1) = '1' AS claims,
           substr(d.unique_states, 2, 1) = '1' AS shall_claim
    FROM :"schema".deferred_jobs d
    WHERE d.job_id = ANY ($1::bigint[]) AND d.unique_key IS NOT NULL AND d.unique_states IS NOT NULL
), claimed AS (
    INSERT INTO awa.job_unique_claims (unique_key, job_id)
    SELECT j.unique_key, j.job_id FROM job j WHERE j.shall_claim AND NOT j.claims
    ORDER BY j.unique_key, j.run_at, j.job_id
    ON CONFLICT (unique_key) DO NOTHING
    RETURNING job_id
), released AS (
    DELETE FROM awa.job_unique_claims c
    WHERE c.unique_key = ANY (ARRAY(SELECT j.unique_key FROM job j WHERE j.claims AND NOT j.shall_claim))
      AND ((c.unique_key, c.job_id) IN (
          SELECT j.unique_key, j.job_id FROM job j WHERE j.claims AND NOT j.shall_claim)) IS TRUE
)
SELECT j.job_id FROM job j
WHERE j.shall_claim AND NOT j.claims
  AND j.job_id NOT IN (SELECT c.job_id FROM claimed c)
  AND (SELECT c.job_id FROM awa.job_unique_claims c
       WHERE c.unique_key = j.unique_key) IS DISTINCT FROM j.job_id
