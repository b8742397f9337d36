# SPDX-License-Identifier: Apache-2.0
"""Faults that are planted in the database of a leader that has done everything right, one at a
time, to see that the comparison notices each of them."""

import copy

# A job that the leader has rescued, one that has made progress before, and one that the leader has promoted.
RESCUED = "job_id = (SELECT min(job_id) FROM deferred_jobs WHERE state = 'retryable' AND finalized_at > %(began)s)"
HALF_DONE = RESCUED[:-1] + " AND payload ? 'progress')"
PROMOTED = "(job_id, lane_seq) = (SELECT job_id, lane_seq FROM ready_entries WHERE run_at > %(began)s AND queue ~ '^(due|random)' ORDER BY 1 LIMIT 1)"
ENDED = "id = (SELECT min(id) FROM awa.jobs_hot WHERE finalized_at > %(began)s AND cardinality(errors) > 0)"
OLD = "id = (SELECT min(id) FROM awa.jobs_hot WHERE finalized_at < %(began)s)"
RAISED = ("id = (SELECT min(id) FROM awa.jobs_hot WHERE state = 'available' AND queue LIKE 'random%%'"
          " AND metadata ? '_awa_original_priority' AND run_at < %(began)s)")
WAITS = "id = (SELECT min(id) FROM awa.scheduled_jobs WHERE state = 'scheduled')"
TICK = "job_id = (SELECT min(job_id) FROM ready_entries WHERE queue = 'ticks')"
FIRST_LETTER = "job_id = (SELECT min(job_id) FROM dlq_entries)"
DELTA = """
INSERT INTO queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority, enqueue_shard, terminal_delta)
VALUES (0, 0, 'rows', 1, 0, {})
"""
SOME_KEY = "SELECT unique_key FROM awa.job_unique_claims ORDER BY 1 LIMIT 1"


def doubled(table, where, **changes):
    """The same row once more, with other values in some columns."""
    columns = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    return (f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(t) || jsonb_build_object({columns}))).*"
            f" FROM {table} t WHERE {where} LIMIT 1")


# Whatever is routed.
PLANTED_ANYWHERE = {
    "a count is missing": DELTA.format(-1),
    "a count is surplus": DELTA.format(1),
    "a unique key is lost": f"DELETE FROM awa.job_unique_claims WHERE unique_key = ({SOME_KEY})",
    "a unique key has another owner": f"UPDATE awa.job_unique_claims SET job_id = -1 WHERE unique_key = ({SOME_KEY})",
    "a descriptor is kept": "INSERT INTO awa.queue_descriptors (queue, descriptor_hash, last_seen_at) VALUES ('kept', 'x', now() - interval '31 days')",
    "an item is not worked on": "UPDATE awa.batch_operation_items SET state = 'pending', processed_at = NULL WHERE ctid ="
        " (SELECT min(ctid) FROM awa.batch_operation_items WHERE state = 'processed')",
    "an operation does not end": "UPDATE awa.batch_operations SET state = 'running' WHERE id = (SELECT id FROM awa.batch_operations"
        " WHERE finalized_at > %(began)s LIMIT 1)",
    "an operation is kept too long": "UPDATE awa.batch_operations SET retention_until = retention_until + interval '1 day'"
        " WHERE finalized_at > %(began)s",
    "an operation is miscounted": "UPDATE awa.batch_operations SET skipped = skipped + 1 WHERE finalized_at > %(began)s",
    "the storage is switched": "UPDATE awa.storage_transition_state SET transition_epoch = transition_epoch + 1",
}

# Where queue storage has jobs.
PLANTED_IN_LANES = {
    "a promoted job is lost": f"DELETE FROM ready_entries WHERE {PROMOTED}",
    "a promoted job has no segment": f"DELETE FROM ready_segments s WHERE EXISTS (SELECT FROM ready_entries r WHERE {PROMOTED}"
        " AND (r.queue, r.priority) = (s.queue, s.priority) AND r.lane_seq >= s.first_lane_seq AND r.lane_seq < s.next_lane_seq)",
    "wrong priority of a promoted job": f"UPDATE ready_entries SET priority = priority %% 4 + 1, lane_seq = lane_seq + 1000 WHERE {PROMOTED}",
    "wrong queue": f"UPDATE ready_entries SET queue = 'another' WHERE {PROMOTED}",
    "a job is promoted twice": doubled("ready_entries", PROMOTED, lane_seq="lane_seq + 1000"),
}

# Where it has had workers.
PLANTED_IN_ATTEMPTS = {
    "a rescued job is lost": f"DELETE FROM deferred_jobs WHERE {RESCUED}",
    "wrong priority": f"UPDATE deferred_jobs SET priority = priority %% 4 + 1 WHERE {RESCUED}",
    "wrong attempt": f"UPDATE deferred_jobs SET attempt = attempt + 1 WHERE {RESCUED}",
    "wrong run lease": f"UPDATE deferred_jobs SET run_lease = run_lease + 1 WHERE {RESCUED}",
    "wrong most attempts": f"UPDATE deferred_jobs SET max_attempts = max_attempts + 1 WHERE {RESCUED}",
    "no time of the end": f"UPDATE deferred_jobs SET finalized_at = NULL WHERE {RESCUED}",
    "no error entry": f"UPDATE deferred_jobs SET payload = jsonb_set(payload, '{{errors}}', (payload -> 'errors') - -1) WHERE {RESCUED}",
    "another error": f"UPDATE deferred_jobs SET payload = jsonb_set(payload, '{{errors,-1,error}}', '\"another\"') WHERE {RESCUED}",
    "an error of another time": f"UPDATE deferred_jobs SET payload = jsonb_set(payload, '{{errors,-1,at}}', '\"2020-01-01T00:00:00Z\"')"
        f" WHERE {RESCUED}",
    "a ring has lost its slot": "UPDATE queue_ring_state SET generation = generation + 1",
    "the state of an attempt is left": "INSERT INTO attempt_state (job_id, run_lease, heartbeat_at) VALUES (1, 9, now())",
}

# In what is sure to be there on top of the fixed filling alone.
PLANTED_IN_FILLING = {
    "a dead letter is kept too long": doubled("dlq_entries", FIRST_LETTER, job_id="-1"),
    "a dead letter is lost": f"DELETE FROM dlq_entries WHERE {FIRST_LETTER}",
    "another reason": f"UPDATE dlq_entries SET dlq_reason = 'another' WHERE {FIRST_LETTER}",
    "a canonical job is lost": "DELETE FROM awa.jobs_hot WHERE id = (SELECT max(id) FROM awa.jobs_hot)",
    "a runtime is forgotten too soon": "DELETE FROM awa.runtime_instances WHERE last_seen_at < now() - interval '30 minutes'",
    "no back-off": f"UPDATE deferred_jobs SET run_at = finalized_at WHERE {HALF_DONE}",
    "a back-off of half the time": f"UPDATE deferred_jobs SET run_at = finalized_at + (run_at - finalized_at) / 2 WHERE {HALF_DONE}",
    "a back-off of twice the time": f"UPDATE deferred_jobs SET run_at = finalized_at + (run_at - finalized_at) * 2 WHERE {HALF_DONE}",
    "the back-off of another attempt": f"UPDATE deferred_jobs SET run_at = finalized_at + awa.backoff_duration((attempt - 1)::smallint, max_attempts)"
        f" WHERE {HALF_DONE}",
    "progress is lost": f"UPDATE deferred_jobs SET payload = payload - 'progress' WHERE {HALF_DONE}",
    "a receipt is not closed": "DELETE FROM lease_claim_closures WHERE outcome = 'rescued' AND job_id = (SELECT min(job_id)"
        " FROM lease_claim_closures WHERE outcome = 'rescued')",
    "a lease is left": doubled("leases", "true", lane_seq="lane_seq + 1000", job_id="-1"),
    "a job that waits is put off": "UPDATE deferred_jobs SET run_at = run_at + interval '1 second' WHERE queue = 'later'",
    "a batch of receipts is not closed": "DELETE FROM lease_claim_closure_batches WHERE outcome = 'rescued'",
    "a receipt is closed twice": "INSERT INTO lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at)"
        " SELECT b.claim_slot, b.job_ids[1], b.run_leases[1], 'rescued', now() FROM lease_claim_batches b"
        " JOIN lease_claim_closure_batches x ON x.claim_slot = b.claim_slot AND x.receipt_ranges @> b.receipt_ids[1] LIMIT 1",
    "a pruned job is counted twice": "INSERT INTO queue_terminal_rollups AS r (queue, priority, pruned_completed_count) VALUES ('rows', 1, 1)"
        " ON CONFLICT (queue, priority) DO UPDATE SET pruned_completed_count = r.pruned_completed_count + 1",
    "a cancelled job is lost": "DELETE FROM done_entries WHERE state = 'cancelled' AND finalized_at > %(began)s",
    "a paused queue is promoted": "DELETE FROM deferred_jobs WHERE queue = 'held'",
    "a queue is resumed": "UPDATE awa.queue_meta SET paused = false WHERE queue = 'held'",
    "a canonical job is not promoted": "WITH gone AS (DELETE FROM awa.jobs_hot WHERE id = (SELECT min(id) FROM awa.jobs_hot"
        " WHERE state = 'available' AND run_at > %(began)s) RETURNING *) INSERT INTO awa.scheduled_jobs"
        " SELECT (jsonb_populate_record(NULL::awa.scheduled_jobs, to_jsonb(g) || '{\"state\": \"scheduled\"}')).* FROM gone g",
    "a schedule fires again": doubled("ready_entries", TICK, lane_seq="lane_seq + 1000"),
    "a fire is not written down": "UPDATE awa.cron_jobs SET last_enqueued_at = NULL WHERE name = 'newest'",
    "a paused schedule fires": "UPDATE awa.cron_jobs SET last_enqueued_at = now() WHERE name = 'paused'",
    "a ring stands still too soon": "UPDATE queue_ring_state SET generation = generation - 1,"
        " current_slot = (current_slot + slot_count - 1) %% slot_count",
    "a slot has a generation of another lap": "UPDATE queue_ring_slots SET generation = generation + 160 WHERE slot = 3",
}

# Where the canonical plane has had workers: an attempt that the leader has ended, what waits and what stands since before.
PLANTED_IN_CANONICAL_ATTEMPTS = {
    "a canonical attempt is counted twice": f"UPDATE awa.jobs_hot SET attempt = attempt + 1 WHERE {ENDED}",
    "a canonical run lease is counted up": f"UPDATE awa.jobs_hot SET run_lease = run_lease + 1 WHERE {ENDED}",
    "a canonical job has another priority": "UPDATE awa.jobs_hot SET priority = priority %% 4 + 1, metadata = metadata ||"
        " CASE WHEN metadata ? '_awa_original_priority' THEN jsonb_build_object('_awa_original_priority',"
        f" (metadata ->> '_awa_original_priority')::integer %% 4 + 1) ELSE '{{}}' END WHERE {ENDED}",
    "a canonical attempt has no time of the end": f"UPDATE awa.jobs_hot SET finalized_at = NULL WHERE {ENDED}",
    "a canonical attempt has ended before": f"UPDATE awa.jobs_hot SET finalized_at = finalized_at - interval '1 day' WHERE {ENDED}",
    "a canonical job has another state": f"UPDATE awa.jobs_hot SET state = 'waiting_external' WHERE {ENDED}",
    "a canonical attempt has no error entry": f"UPDATE awa.jobs_hot SET errors = errors[:cardinality(errors) - 1] WHERE {ENDED}",
    "a rescued canonical job is lost": f"DELETE FROM awa.jobs_hot WHERE {ENDED}",
    "a canonical job is kept too long": doubled("awa.jobs_hot", OLD, id="-1", unique_key="NULL", finalized_at="now() - interval '9 days'"),
    "a canonical job is forgotten too soon": f"DELETE FROM awa.jobs_hot WHERE {OLD}",
}

# Where the canonical plane has jobs that can be worked on.
PLANTED_IN_CANONICAL_JOBS = {
    "a priority is not raised": "UPDATE awa.jobs_hot SET priority = (metadata ->> '_awa_original_priority')::smallint,"
        f" metadata = metadata - '_awa_original_priority' WHERE {RAISED}",
    "a raised job does not know its priority": f"UPDATE awa.jobs_hot SET metadata = metadata - '_awa_original_priority' WHERE {RAISED}",
    "a canonical job is promoted twice": doubled("awa.jobs_hot", RAISED, id="-1", unique_key="NULL"),
    "a promoted canonical job stays behind": doubled("awa.scheduled_jobs", "state = 'scheduled'", id="-1", unique_key="NULL",
                                                     run_at="now() - interval '1 hour'"),
    "a canonical job that waits is put off": f"UPDATE awa.scheduled_jobs SET run_at = run_at + interval '1 second' WHERE {WAITS}",
    "a canonical job that waits is lost": f"DELETE FROM awa.scheduled_jobs WHERE {WAITS}",
    "a canonical schedule fires again": doubled("awa.jobs_hot", "metadata ? 'cron_name'", id="-1", unique_key="NULL"),
    "a canonical fire is not written down": "UPDATE awa.cron_jobs SET last_enqueued_at = NULL WHERE last_enqueued_at IS NOT NULL",
}

# Where the canonical plane is routed.
PLANTED_IN_CACHES = {
    "a queue is miscounted": "UPDATE awa.queue_state_counts SET available = available + 1",
    "a queue is not counted": "DELETE FROM awa.queue_state_counts",
    "a queue that has no jobs is listed": "INSERT INTO awa.job_queue_catalog VALUES ('planted', 1)",
    "a kind is miscounted": "UPDATE awa.job_kind_catalog SET ref_count = ref_count + 1",
    "a mark of a queue is left": "INSERT INTO awa.admin_dirty_queue_marks (queue) VALUES ('planted')",
    "a mark of a kind is left": "INSERT INTO awa.admin_dirty_kind_marks (kind) VALUES ('planted')",
}


CANONICAL = PLANTED_ANYWHERE | PLANTED_IN_CACHES | PLANTED_IN_CANONICAL_ATTEMPTS | PLANTED_IN_CANONICAL_JOBS
ROUTED = PLANTED_ANYWHERE | PLANTED_IN_LANES | PLANTED_IN_ATTEMPTS
# As the roads end.
PLANTED = {
    "active": ROUTED,
    "canonical": PLANTED_ANYWHERE | PLANTED_IN_LANES | PLANTED_IN_CANONICAL_ATTEMPTS | PLANTED_IN_CANONICAL_JOBS,
    "prepared": CANONICAL,
    "mixed_transition": ROUTED | PLANTED_IN_CANONICAL_ATTEMPTS,
    "aborted": CANONICAL,
    "finalized": ROUTED,
}


def no_notify(result):
    result["notices"].pop()


def notified_twice(result):
    result["notices"].append(next(row for row in result["notices"] if row["channel"].startswith("awa:alone")
                                    and not row["channel"].startswith("awa:alone_ticks")))


def wrong_payload(result):
    result["notices"][0]["payload"] = "x"


def number_in_vain(result):
    result["lanes"][0]["given"] += 1


def moved_cursor(result):
    result["lanes"][0]["taken"] += 1


def cancelled_in_vain(result):
    """A worker is told to stop although nobody has rescued its attempt."""
    job, name = next((row, name) for view, name in (("deferred_jobs", "job_id"), ("scheduled_jobs", "id"))
                     for row in result[view] if row["attempt"] == 0)
    result["notices"].append({"channel": "awa:cancel", "payload": {"job_id": job[name], "run_lease": job["run_lease"]}})


# Sequences and messages belong to no transaction that could be rolled back.
PLANTED_IN_NOTICES = (no_notify, notified_twice, wrong_payload, cancelled_in_vain)
PLANTED_IN_NUMBERS = (number_in_vain, moved_cursor)


def unseen(settled, planted, compare):
    """The planted faults that the comparison does not see; nobody works on the settled copy any more."""
    stood = settled.reader.read_all()
    found = []
    for name, statement in planted.items():
        with settled.session.transaction(force_rollback=True):
            count = settled.session.execute(statement, {"began": settled.reader.began}).rowcount
            if not count or not compare(stood, settled.reader.read_all()).sentences:
                found.append(f"{name}: {count} rows")
    return found


def unseen_in(result, planted, compare):
    """The same, of what belongs to no transaction."""
    found = []
    for plant in planted:
        changed = copy.deepcopy(result)
        plant(changed)
        if not compare(result, changed).sentences:
            found.append(plant.__name__)
    return found
