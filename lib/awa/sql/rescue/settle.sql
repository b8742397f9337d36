-- rescue/settle: moves the unique claims of ended attempts whose jobs change their state.
-- Returns the jobs whose key another job holds. May wait for a producer that inserts the same key.
-- (…) IN (…) IS TRUE is looked up in a hash table, whatever the planner thinks of its size.
-- $1 bigint[]: jobs
-- $2 bigint[]: run_leases
-- $3 bigint[]: ready slots
-- $4 bigint[]: ready generations
-- $5 integer: the state of the attempts, as a place in the mask counted from one
-- $6 integer: the state of their jobs from now on, likewise
WITH job AS MATERIALIZED (
    SELECT r.job_id, r.unique_key, substr(r.unique_states, $5::integer, 1) = '1' AS claims,
           substr(r.unique_states, $6::integer, 1) = '1' AS shall_claim
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS a(job_id, run_lease, slot, generation)
\ir ../parts/ready_row.sql
    WHERE r.unique_key IS NOT NULL AND r.unique_states IS NOT NULL
), claimed AS (
    INSERT INTO awa.job_unique_claims (unique_key, job_id)
    SELECT j.unique_key, j.job_id FROM job j WHERE j.shall_claim AND NOT j.claims
    ORDER BY j.unique_key, j.job_id
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
