-- registration/register: writes or renews the one row of whoever leads in place of a worker. Only where the move to
-- queue storage is complete: in any other state a live row would stop Awa's own steps from one storage to the other.
-- $1 text: host
-- $2 integer: process id
INSERT INTO awa.runtime_instances AS r
    (instance_id, hostname, pid, version, started_at, last_seen_at, snapshot_interval_ms, healthy,
     postgres_connected, poll_loop_alive, heartbeat_alive, maintenance_alive, shutting_down, leader, queues,
     queue_descriptor_hashes, job_kind_descriptor_hashes, storage_capability, transition_role)
SELECT '6c6f636b-6b65-6570-6572-000000000000', $1::text, $2::integer, '0.6.9+lockkeeper', now(), now(),
       10000, true, true, true, true, true, false, true, '[]', '{}', '{}', 'queue_storage', 'auto'
WHERE EXISTS (SELECT FROM awa.storage_transition_state s WHERE s.singleton AND s.state = 'active')
ON CONFLICT (instance_id) DO UPDATE
SET hostname = excluded.hostname, pid = excluded.pid, version = excluded.version,
    started_at = CASE WHEN r.hostname = excluded.hostname AND r.pid = excluded.pid AND r.leader
                      THEN r.started_at ELSE excluded.started_at END,
    last_seen_at = excluded.last_seen_at,
    snapshot_interval_ms = excluded.snapshot_interval_ms, healthy = true, postgres_connected = true,
    poll_loop_alive = true, heartbeat_alive = true, maintenance_alive = true, shutting_down = false,
    leader = true, global_max_workers = NULL, queues = excluded.queues,
    queue_descriptor_hashes = excluded.queue_descriptor_hashes,
    job_kind_descriptor_hashes = excluded.job_kind_descriptor_hashes,
    storage_capability = excluded.storage_capability, transition_role = excluded.transition_role
