# SPDX-License-Identifier: Apache-2.0
"""What stands in a database, as queries whose rows can be compared between two leaders' work.

Not among them is what depends on when a leader did something and not on what: what a ring has
forgotten by now, and where in it a row stands. The tables of queue storage are found by the
session's search_path.
"""

# Jobs that workers can still claim: not entombed, not claimed before.
AVAILABLE = """
SELECT r.* FROM ready_entries r
WHERE NOT EXISTS (SELECT FROM ready_tombstones t WHERE (t.ready_slot, t.ready_generation, t.queue, t.priority,
        t.enqueue_shard, t.lane_seq) = (r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard, r.lane_seq))
  AND NOT EXISTS (SELECT FROM ready_claim_attempt_batches b WHERE (b.ready_slot, b.ready_generation, b.queue, b.priority,
        b.enqueue_shard) = (r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard)
        AND b.lane_ranges @> r.lane_seq)
"""

# Of these, the ones that a worker would not find: no segment of their lane covers them.
HIDDEN = f"""
SELECT r.job_id FROM ({AVAILABLE}) r
WHERE NOT EXISTS (SELECT FROM ready_segments s WHERE (s.ready_slot, s.ready_generation, s.queue, s.priority,
        s.enqueue_shard) = (r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard)
        AND r.lane_seq >= s.first_lane_seq AND r.lane_seq < s.next_lane_seq)
"""

# Numbers given and taken, of all shards of a lane together: which of them a job gets is left to chance.
LANES = """
SELECT queue, priority, sum(sequence_next_value(e.seq_name) - 1)::bigint AS given,
    sum(sequence_next_value(c.seq_name) - 1)::bigint AS taken,
    EXISTS (SELECT FROM queue_lanes l WHERE (l.queue, l.priority) = (queue, priority)) AS registered
FROM queue_enqueue_heads e FULL JOIN queue_claim_heads c USING (queue, priority, enqueue_shard)
GROUP BY 1, 2
"""

RECEIPTS = """
SELECT claim_slot, job_id, run_lease, receipt_id, attempt, max_attempts, queue, priority, claimed_at, deadline_at
FROM lease_claims
UNION ALL
SELECT claim_slot, i.job, i.lease, i.receipt, i.attempt, i.most, queue, priority, claimed_at, deadline_at
FROM lease_claim_batches, unnest(job_ids, run_leases, receipt_ids, attempts, max_attempts)
    i(job, lease, receipt, attempt, most)
"""

OPEN_RECEIPTS = f"""
SELECT c.* FROM ({RECEIPTS}) c
WHERE NOT EXISTS (SELECT FROM lease_claim_closures x
        WHERE (x.claim_slot, x.job_id, x.run_lease) = (c.claim_slot, c.job_id, c.run_lease))
  AND NOT EXISTS (SELECT FROM lease_claim_closure_batches x
        WHERE x.claim_slot = c.claim_slot AND x.receipt_ranges @> c.receipt_id)
"""

# What stands twice in the ledgers, or in one of them without a claim, wedges a ring.
UNBALANCED = f"""
SELECT c.job_id, c.run_lease, count(x) AS closures FROM ({RECEIPTS}) c
CROSS JOIN LATERAL (
    SELECT 1 FROM lease_claim_closures x
    WHERE (x.claim_slot, x.job_id, x.run_lease) = (c.claim_slot, c.job_id, c.run_lease)
    UNION ALL
    SELECT 1 FROM lease_claim_closure_batches x, unnest(x.receipt_ids) u(id)
    WHERE x.claim_slot = c.claim_slot AND u.id = c.receipt_id) x
GROUP BY 1, 2 HAVING count(x) > 1
"""

# Counts of terminal rows, folded or not yet, less the rows themselves: a lane that is not zero is wrong.
MISCOUNTED = """
SELECT queue, priority, sum(n)::bigint AS jobs FROM (
    SELECT queue, priority, live_terminal_count AS n FROM queue_terminal_live_counts
    UNION ALL SELECT queue, priority, terminal_delta FROM queue_terminal_count_deltas
    UNION ALL SELECT queue, priority, -1 FROM done_entries) c
GROUP BY 1, 2 HAVING sum(n) <> 0
"""

# How many jobs have ended in a lane, whether their rows have been pruned since or not.
ENDED = """
SELECT queue, priority, sum(failed)::bigint AS failed, sum(others)::bigint AS others FROM (
    SELECT queue, priority, pruned_failed_count AS failed, pruned_completed_count AS others FROM queue_terminal_rollups
    UNION ALL SELECT queue, priority, (state = 'failed')::int, (state <> 'failed')::int FROM done_entries
    UNION ALL SELECT queue, priority, 0, completed_count FROM receipt_completion_batches
    UNION ALL SELECT queue, priority, 0, -1 FROM receipt_completion_tombstones) e
GROUP BY 1, 2
"""


def ring(name, column, tables):
    """Whether a ring's numbers fit together; and its generation if a row that nothing takes away stops it."""
    busy = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE {column} = (s.current_slot + 1) % s.slot_count)" for table in tables)
    return (f"SELECT '{name}' AS ring, s.slot_count, s.current_slot = s.generation % s.slot_count AS fits, s.generation > 0 AS has_turned,"
            f" CASE WHEN {busy} THEN s.generation END AS stands_at FROM {name}_ring_state s")


RINGS = " UNION ALL ".join((
    ring("queue", "ready_slot", ("ready_entries", "ready_segments", "ready_tombstones", "ready_claim_attempt_batches",
                                 "done_entries", "receipt_completion_batches", "receipt_completion_tombstones",
                                 "queue_terminal_count_deltas")),
    ring("lease", "lease_slot", ("leases",)),
    ring("claim", "claim_slot", ("lease_claims", "lease_claim_batches", "lease_claim_closures",
                                 "lease_claim_closure_batches"))))

# Slots of the queue ring whose generation is not one of the present lap.
LOST_SLOTS = """
SELECT q.slot, q.generation FROM queue_ring_slots q, queue_ring_state s
WHERE q.generation >= 0 AND (q.slot <> q.generation % s.slot_count OR q.generation > s.generation
    OR q.generation <= s.generation - s.slot_count)
"""

# Who of several equals works at an operation, and how far it has read, is nobody's business.
OPERATIONS = """
SELECT id, op_kind, filter, spec, state, submitted_by, submitted_at, started_at, finalized_at, total_matched, processed,
    skipped, errored, last_error, retention_until
FROM awa.batch_operations
"""

# By workers that have ended; a leader has rows of its own.
LEFT_BEHIND = "last_seen_at < now() - interval '30 minutes'"

# What is kept of the queues and kinds of the canonical plane: while queue storage is routed nobody reads it, and Awa's
# own leader leaves it alone (D23).
IS_READ = "awa.active_queue_storage_schema() IS NULL"
MARKS = """
SELECT 'queue' AS what, queue AS name FROM awa.admin_dirty_queue_marks
UNION SELECT 'kind', kind FROM awa.admin_dirty_kind_marks
"""

VIEWS = {
    "available": AVAILABLE,
    "hidden": HIDDEN,
    "lanes": LANES,
    "open_receipts": OPEN_RECEIPTS,
    "closed_twice": UNBALANCED,
    "miscounted": MISCOUNTED,
    "ended": ENDED,
    "rings": RINGS,
    "lost_slots": LOST_SLOTS,
    "dead_letters": "SELECT * FROM dlq_entries",
    "deferred_jobs": "SELECT * FROM deferred_jobs",
    "done_entries": "SELECT * FROM done_entries WHERE state <> 'completed'",
    "leases": "SELECT * FROM leases",
    "attempt_state": "SELECT * FROM attempt_state",
    "unique_claims": "SELECT encode(unique_key, 'escape') AS unique_key, job_id FROM awa.job_unique_claims",
    "jobs_hot": "SELECT * FROM awa.jobs_hot",
    "scheduled_jobs": "SELECT * FROM awa.scheduled_jobs",
    "queue_meta": "SELECT * FROM awa.queue_meta",
    "marks": f"SELECT * FROM ({MARKS}) m WHERE {IS_READ}",
    "queue_counts": f"SELECT * FROM awa.queue_state_counts WHERE {IS_READ}",
    "queue_catalog": f"SELECT * FROM awa.job_queue_catalog WHERE {IS_READ}",
    "kind_catalog": f"SELECT * FROM awa.job_kind_catalog WHERE {IS_READ}",
    "cron_jobs": "SELECT * FROM awa.cron_jobs",
    "operations": OPERATIONS,
    "operation_items": "SELECT * FROM awa.batch_operation_items",
    "storage": "SELECT current_engine, prepared_engine, state, transition_epoch, details FROM awa.storage_transition_state",
    "runtime_instances": f"SELECT instance_id, hostname, last_seen_at FROM awa.runtime_instances WHERE {LEFT_BEHIND}",
    "queue_descriptors": f"SELECT queue, descriptor_hash, last_seen_at FROM awa.queue_descriptors WHERE {LEFT_BEHIND}",
    "job_kind_descriptors": f"SELECT kind, descriptor_hash, last_seen_at FROM awa.job_kind_descriptors WHERE {LEFT_BEHIND}",
}
