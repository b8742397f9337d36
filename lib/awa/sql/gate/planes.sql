-- gate/planes: how the storage transition stands, and which schema has queue-storage tables.
SELECT COALESCE(t.state, 'canonical') AS state,
       awa.active_queue_storage_schema() AS routed_schema,
       (SELECT candidate.name
        FROM (VALUES (1, NULLIF(t.details ->> 'schema', '')),
                     (2, (SELECT b.schema_name FROM awa.runtime_storage_backends AS b
                          WHERE b.backend = 'queue_storage')),
                     (3, 'awa')) AS candidate (place, name)
        WHERE 8 = (SELECT pg_catalog.count(*)
                   FROM pg_catalog.pg_class AS c
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE n.nspname = candidate.name
                     AND c.relname IN ('queue_ring_state', 'lease_ring_state', 'claim_ring_state',
                                       'deferred_jobs', 'ready_entries', 'leases',
                                       'lease_claims', 'lease_claim_batches'))
        ORDER BY candidate.place
        LIMIT 1) AS storage_schema
FROM (VALUES (true)) AS always (yes)
LEFT JOIN awa.storage_transition_state AS t ON t.singleton
