# SPDX-License-Identifier: Apache-2.0
"""A fault for each sentence of tests/support/invariants/sentences.sql."""

CLAIM = """
INSERT INTO awa.lease_claims (claim_slot, receipt_id, job_id, run_lease, ready_slot, ready_generation, queue, priority,
    attempt, max_attempts, lane_seq)
VALUES ({slot}, -7, -7, 1, 0, -7, 'planted', 2, 1, 1, -7);
"""
CLAIM_BATCH = """
INSERT INTO awa.lease_claim_batches (claim_slot, ready_slot, ready_generation, queue, priority, enqueue_shard,
    claimed_count, job_ids, run_leases, receipt_ids, receipt_ranges, lane_seqs, attempts, max_attempts)
VALUES (0, 0, -7, 'planted', 2, 0, 1, '{-7}', '{1}', '{-7}', '{[-7,-7]}', '{-7}', '{1}', '{1}');
"""
CLOSURE = """
INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at)
VALUES (0, -7, 1, 'completed', now());
"""
CLOSURE_BATCH = """
INSERT INTO awa.lease_claim_closure_batches (claim_slot, outcome, closed_count, receipt_ids, receipt_ranges)
VALUES (0, 'completed', 1, '{-7}', '{[-7,-7]}');
"""
READY = """
INSERT INTO awa.ready_entries (ready_slot, ready_generation, job_id, kind, queue, args, priority, attempt, run_lease,
    max_attempts, lane_seq, enqueue_shard, run_at, created_at)
VALUES ({slot}, -7, -7, 'work', 'planted', '{{}}', 2, 0, 0, 1, 7, 0, now(), now());
"""
DEFERRED = """
INSERT INTO awa.deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease, max_attempts, run_at,
    created_at, payload, unique_key, unique_states)
VALUES (-7, 'work', 'planted', '{}', 'scheduled', 2, 0, 0, 1, now(), now(), '{}', '\\x07', '11111111');
"""
LEASE = """
INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, queue, state, priority,
    attempt, run_lease, max_attempts, lane_seq, enqueue_shard, attempted_at)
VALUES (0, -7, 0, -7, -7, 'planted', 'running', 2, 1, 1, 1, -7, 0, now());
"""
STATE = "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (-7, 1, now());"
CANONICAL = """
INSERT INTO awa.{table} (id, kind, queue, args, state, priority, run_at)
VALUES (-7, 'work', 'planted', '{{}}', '{state}', 2, now());
"""

MUTANTS = {
    "an attempt is claimed once": CLAIM.format(slot=0) + CLAIM.format(slot=1),
    "an attempt ends once": CLAIM.format(slot=0) + CLOSURE + CLOSURE_BATCH,
    "closures of a claim slot are as many as its closed claims": CLOSURE_BATCH,
    "a compact claim is closed in the compact ledger": CLAIM_BATCH + CLOSURE,
    "the fence of a row-local claim stands where its closure does": CLAIM.format(slot=0) + CLOSURE,
    "a job is in one place": CLAIM.format(slot=0) + DEFERRED,
    "state belongs to a living attempt": STATE,
    "a lease belongs to a living attempt": LEASE,
    "a job in a claiming state owns its key": DEFERRED,
    "a lane's numbers are given once": READY.format(slot=0) + READY.format(slot=1),
    "a ready row stands in one segment": READY.format(slot=0),
    "a canonical job is in one table": CANONICAL.format(table="jobs_hot", state="available")
                                       + CANONICAL.format(table="scheduled_jobs", state="scheduled"),
}
