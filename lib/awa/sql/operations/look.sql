-- operations/look: the oldest batch operation that is not finished, and its state.
-- $1 uuid[]: operations to leave out
SELECT o.id, o.state
FROM awa.batch_operations o
WHERE o.state IN ('pending', 'scanning', 'running', 'cancelling') AND o.id <> ALL ($1::uuid[])
ORDER BY o.submitted_at, o.id
LIMIT 1
