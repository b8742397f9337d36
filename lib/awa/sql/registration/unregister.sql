-- registration/unregister: takes away the row of whoever leads in place of a worker.
DELETE FROM awa.runtime_instances r WHERE r.instance_id = '6c6f636b-6b65-6570-6572-000000000000'
