-- rings/claim_pinned: the oldest open claim of one sealed slot of the claim ring, as a reason and a sentence,
-- then the cause as a word, the queue, and since how many seconds.
-- Receipts are numbered in the order of the claims, so of compact ones the lowest open number is the oldest.
-- $1 integer: slot
WITH closed AS MATERIALIZED (
    SELECT COALESCE(range_agg(i.r), '{}') AS receipts
    FROM :"schema".:"lease_claim_closure_batches_k" x CROSS JOIN LATERAL unnest(x.receipt_ranges) AS i(r)
), oldest AS MATERIALIZED (
    SELECT lower(range_agg(i.r) - (SELECT d.receipts FROM closed d)) AS receipt
    FROM :"schema".:"lease_claim_batches_k" b CROSS JOIN LATERAL unnest(b.receipt_ranges) AS i(r)
), open AS (
    SELECT c.job_id, c.queue, c.claimed_at FROM :"schema".:"lease_claims_k" c
    WHERE NOT (SELECT d.receipts FROM closed d) @> c.receipt_id
      AND NOT EXISTS (SELECT FROM :"schema".:"lease_claim_closures_k" x
                      WHERE x.job_id = c.job_id AND x.run_lease = c.run_lease)
    UNION ALL
    SELECT b.job_ids[array_position(b.receipt_ids, o.receipt)], b.queue, b.claimed_at
    FROM oldest o JOIN :"schema".:"lease_claim_batches_k" b ON b.receipt_ranges @> o.receipt
)
SELECT 'pinned_slot' AS reason,
       format('slot %s: the claim of job %s of queue %s has been open since %s', $1::integer, o.job_id, o.queue,
              o.claimed_at) AS sentence,
       'claim' AS cause, o.queue,
       CASE WHEN isfinite(o.claimed_at) THEN extract(epoch FROM now() - GREATEST(o.claimed_at, now() - interval '100 years'))::float8 END AS seconds
FROM open o
ORDER BY o.claimed_at LIMIT 1
