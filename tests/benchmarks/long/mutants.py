# SPDX-License-Identifier: Apache-2.0
"""A fault for each sentence of tests/support/invariants."""

CLAIM = """
INSERT INTO awa.lease_claims (claim_slot, receipt_id, job_id, run_lease, ready_slot, ready_generation, queue, priority,
    attempt, max_attempts, lane_seq)
VALUES ({slot}, -7, -7, 1, 0, -7, 'planted', 2, 1, 1, -7);
"""
CLAIM_BATCH = """
INSERT INTO awa.lease_claim_batches (claim_slot, ready_slot, ready_generation, queue, priority, enqueue_shard,
    claimed_count, job_ids, run_leases, receipt_ids, receipt_ranges, lane_seqs, attempts, max_attempts)
VALUES (0, 0, -7, 'planted', 2, 0, 1, '{{-7}}', '{{1}}', '{{-7}}', '{{[{range}]}}', '{{-7}}', '{{1}}', '{{1}}');
"""
CLOSURE = """
INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at)
VALUES (0, -7, 1, 'rescued', now());
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
SEGMENT = """
INSERT INTO awa.ready_segments (ready_slot, ready_generation, queue, priority, enqueue_shard, first_lane_seq,
    next_lane_seq, first_run_at)
VALUES ({slot}, -7, 'planted', 2, 0, 7, 8, now() - interval '1 second');
"""
DEFERRED = """
INSERT INTO awa.deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease, max_attempts, run_at,
    created_at, payload, unique_key, unique_states)
VALUES (-7, 'work', 'planted', '{{}}', 'scheduled', 2, 0, {lease}, 1, now(), now(), '{{}}', '\\x07', '{mask}');
"""
KEY = "INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('\\x07', -7);"
LEASE = """
INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, queue, state, priority,
    attempt, run_lease, max_attempts, lane_seq, enqueue_shard, attempted_at)
VALUES (0, -7, 0, -7, -7, 'planted', 'running', 2, 1, 1, 1, -7, 0, now());
"""
STATE = "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (-7, 1, now());"
ENDED = """
INSERT INTO awa.done_entries (ready_slot, ready_generation, job_id, kind, queue, state, priority, lane_seq)
VALUES (0, -7, -7, 'work', 'planted', 'failed', 2, 7);
"""
COUNT = """
INSERT INTO awa.queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority, enqueue_shard,
    counter_bucket, terminal_delta)
VALUES (0, {generation}, 'planted', 2, 0, 249, 1);
"""
TAKEN_BACK = """
INSERT INTO awa.receipt_completion_tombstones (ready_slot, ready_generation, job_id, run_lease, queue, priority, lane_seq)
VALUES (0, -7, -7, 1, 'planted', 2, 7);
"""
CANONICAL = """
INSERT INTO awa.{table} (id, kind, queue, args, state, priority, run_at, unique_key, unique_states)
VALUES (-7, 'work', 'planted', '{{}}', '{state}', 2, now(), {key}, B'{mask}');
"""
ROW_CLAIM = CLAIM.format(slot=0)
COMPACT_CLAIM = CLAIM_BATCH.format(range="-7,-7")
CLAIMING = DEFERRED.format(lease=0, mask="11111111")

MUTANTS = {
    "an attempt is claimed once": ROW_CLAIM + CLAIM.format(slot=1),
    "an attempt ends once": ROW_CLAIM + CLOSURE + CLOSURE_BATCH,
    "closures of a claim slot are as many as its closed claims": CLOSURE_BATCH,
    "closures of a ready slot are as many as its closed claims": COMPACT_CLAIM + CLOSURE_BATCH,
    "the ranges of a batch are those of its receipts": CLAIM_BATCH.format(range="-7,-6"),
    "a compact claim is closed in the compact ledger": COMPACT_CLAIM + CLOSURE,
    "the fence of a row-local claim stands where its closure does": ROW_CLAIM + CLOSURE,
    "state belongs to a living attempt": STATE,
    "a lease belongs to a living attempt": LEASE,
    "a job has the run_lease of its last claim": ROW_CLAIM + CLOSURE + DEFERRED.format(lease=2, mask="11111111"),
    "a rescued job keeps its attempt": ROW_CLAIM + CLOSURE + DEFERRED.format(lease=1, mask="11111111"),
    "a job is in one place": ROW_CLAIM + CLAIMING,
    "no job is lost": READY.format(slot=0) + ROW_CLAIM + CLOSURE,
    "a job in a claiming state owns its key": CLAIMING,
    "a key belongs to a job in a claiming state": DEFERRED.format(lease=0, mask="01111111") + KEY,
    "keys of jobs that are gone are no more than those pruned": "DELETE FROM awa.queue_terminal_rollups;" + KEY,
    "a lane's numbers are given once": READY.format(slot=0) + READY.format(slot=1),
    "a lane's next number is above all that it has given": READY.format(slot=0),
    "a ready row stands in one segment, that of its time": READY.format(slot=0) + SEGMENT.format(slot=0),
    "segments of a lane do not overlap": SEGMENT.format(slot=0) + SEGMENT.format(slot=1),
    "ended jobs are counted, each in its slot and bucket": ENDED,
    "no generation counts more ended jobs than it has": ENDED + COUNT.format(generation=-8),
    "a completion that is taken back was one": TAKEN_BACK,
}

# The same in the other plane.
CANONICAL_MUTANTS = {
    "a job is in one place": CANONICAL.format(table="jobs_hot", state="available", key="NULL", mask="11111111")
                             + CANONICAL.format(table="scheduled_jobs", state="scheduled", key="NULL", mask="11111111"),
    "a job in a claiming state owns its key": CANONICAL.format(table="jobs_hot", state="available", key="'\\x07'", mask="11111111")
                                              + "DELETE FROM awa.job_unique_claims WHERE job_id = -7",
    "a key belongs to a job in a claiming state": CANONICAL.format(table="jobs_hot", state="available", key="'\\x07'", mask="10111111")
                                                  + KEY,
}
