-- operations/hold: keeps other runners from all batch operations until the transaction ends, and the storage
-- from being switched. Says whether it is ours, the state of one operation, and whether queue storage is routed.
-- The transition row is locked first, if there is one.
-- $1 uuid: operation
WITH routing AS MATERIALIZED (
    SELECT btrim(CASE WHEN s.state IN ('mixed_transition', 'active') THEN COALESCE(s.prepared_engine, s.current_engine)
                      ELSE s.current_engine END) = 'queue_storage' AS is_routed
    FROM awa.storage_transition_state s
    FOR SHARE
), ours AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(4708303812828419139) AS is_ours, first.is_routed
    FROM (SELECT COALESCE(bool_or(r.is_routed), false) AS is_routed FROM routing r) first
)
SELECT h.is_ours, (SELECT o.state FROM awa.batch_operations o WHERE o.id = $1::uuid) AS state, h.is_routed
FROM ours h
