-- parts/named: the counts of CTE counted as arrays, none if the names of their queues are too many bytes for a reply.
named AS (
    SELECT COALESCE(array_agg(c.queue), '{}') AS queues, COALESCE(array_agg(c.state), '{}') AS states,
           COALESCE(array_agg(c.jobs), '{}') AS jobs
    FROM counted c HAVING COALESCE(sum(octet_length(c.queue) + 25), 0) <= 25000
)
