# SPDX-License-Identifier: Apache-2.0
"""Fills a database with all states that maintenance concerns: through Awa's own interfaces,
then aged; what no interface makes quickly is written into the tables."""

import tables
from scene import wait_until

QUEUES = ("rows", "batches")
EACH = 6  # of everything, in each queue

# What a job does, and the state in which the worker leaves it. Awa's view shows an attempt that has
# nothing but a receipt in no state at all.
ENDS = {"complete": "completed", "fail": "failed", "cancel": "cancelled", "retry": "retryable",
        "snooze": "scheduled", "hang": None, "progress": None, "lease": "running", "park": "waiting_external"}
SUPERSEDED_JOBS = 2

# Half of the failing ones have no attempt left, and so has half of the parked ones.
ENQUEUE = """
SELECT count(awa.insert_job_compat('task', q, jsonb_build_object('do', %(do)s::text), p_priority => (1 + n %% 4)::smallint,
    p_max_attempts => (CASE WHEN %(do)s = 'fail' OR %(do)s = 'park' AND n %% 2 = 0 THEN 1 ELSE 9 END)::smallint,
    p_metadata => jsonb_build_object('n', n), p_tags => ARRAY['a', 'b']))
FROM unnest(%(queues)s::text[]) q, generate_series(1, %(each)s) n
"""

# Running attempts that do not claim their key, which a newer job then takes.
SUPERSEDED = """
SELECT count(awa.insert_job_compat('task', q, jsonb_build_object('do', 'hang'), p_unique_key => convert_to(q || n, 'UTF8'),
    p_unique_states => B'11001000'))
FROM unnest(%(queues)s::text[]) q, generate_series(1, 2) n
"""

# So often that what is rescued waits for hours, and stands where it can be compared.
TRIED_BEFORE = "UPDATE awa.ready_entries SET attempt = 12, max_attempts = 30 WHERE max_attempts > 1"

# What has no heartbeat has a deadline still to come, or it would be a matter of luck why it is rescued.
AFTER = """
SELECT awa.insert_job_compat('task', 'waiting', '{}', p_priority => (1 + n %% 4)::smallint) FROM generate_series(1, 5) n;
SELECT awa.insert_job_compat('task', 'waiting', '{}', p_unique_key => convert_to(q || n, 'UTF8'), p_unique_states => B'11001000')
FROM unnest(ARRAY['rows', 'batches']) q, generate_series(1, 2) n;
SELECT awa.insert_job_compat('task', 'due' || n %% 3, jsonb_build_object('n', n), 'scheduled', (1 + n %% 4)::smallint,
    p_run_at => now() + interval '1 hour') FROM generate_series(1, 60) n;
SELECT awa.insert_job_compat('task', 'held', jsonb_build_object('n', n), 'scheduled', p_run_at => now() + interval '1 hour')
FROM generate_series(1, 5) n;
SELECT awa.insert_job_compat('task', 'later', '{}', 'scheduled', p_run_at => now() + interval '1 day') FROM generate_series(1, 5);
SELECT awa.insert_job_compat('task', 'keys', jsonb_build_object('n', n), 'scheduled', p_run_at => now() + interval '1 hour',
    p_unique_key => convert_to('own' || n, 'UTF8'), p_unique_states => mask)
FROM (VALUES (1, B'11111000'), (2, B'10000000'), (3, B'01000000'), (4, B'00000000'), (5, B'11111111')) v(n, mask);
INSERT INTO awa.queue_meta (queue, paused) VALUES ('held', true);
UPDATE awa.deferred_jobs SET run_at = now() - interval '1 minute' - job_id * interval '1 ms'
WHERE queue ~ '^(due|held|keys)' OR state = 'retryable' AND job_id %% 2 = 0;

UPDATE awa.lease_claims SET
    claimed_at = claimed_at + CASE job_id %% 2 WHEN 0 THEN -1 ELSE 1 END * interval '1 hour',
    deadline_at = CASE job_id %% 6 WHEN 3 THEN now() - interval '1 minute' ELSE deadline_at END;
UPDATE awa.lease_claim_batches SET claimed_at = claimed_at - interval '1 hour';
UPDATE awa.attempt_state SET heartbeat_at = now() + CASE job_id %% 2 WHEN 0 THEN -1 ELSE 1 END * interval '1 hour';
INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at)
SELECT j, r, now() + interval '1 hour' FROM awa.lease_claim_batches, unnest(job_ids, run_leases) u(j, r) WHERE j %% 2 = 1
ON CONFLICT DO NOTHING;
UPDATE awa.leases SET heartbeat_at = now() + CASE job_id %% 2 WHEN 0 THEN -1 ELSE 1 END * interval '1 hour'
WHERE state = 'running';
UPDATE awa.leases SET deadline_at = now() - interval '1 minute' WHERE state = 'running' AND job_id %% 6 = 3;
UPDATE awa.leases SET callback_timeout_at = now() - interval '1 minute' WHERE state = 'waiting_external' AND job_id %% 3 <> 0;

INSERT INTO awa.jobs_hot (kind, queue, args, state, priority, attempt, run_lease, max_attempts, run_at, heartbeat_at, deadline_at,
    attempted_at, finalized_at, callback_id, callback_timeout_at, metadata, tags, progress)
SELECT 'task', 'canonical', jsonb_build_object('n', n), s::awa.job_state, (1 + n %% 4)::smallint, n, n, 3, now() - interval '2 hours',
    CASE WHEN s = 'running' THEN now() + CASE n %% 2 WHEN 0 THEN -1 ELSE 1 END * interval '1 hour' END,
    CASE WHEN s = 'running' THEN now() + CASE WHEN n %% 6 = 3 THEN -1 ELSE 60 END * interval '1 minute' END,
    now() - interval '1 hour', CASE WHEN s IN ('completed', 'failed', 'cancelled') THEN now() - n * interval '20 hours' END,
    CASE WHEN s = 'waiting_external' THEN gen_random_uuid() END,
    CASE WHEN s = 'waiting_external' THEN now() + CASE WHEN n <= 4 THEN -1 ELSE 60 END * interval '1 minute' END,
    '{"m": 1}', ARRAY['t'], '{"percent": 7}'
FROM unnest(ARRAY['running', 'waiting_external', 'completed', 'failed', 'cancelled', 'available']) s, generate_series(1, 6) n;
INSERT INTO awa.scheduled_jobs (kind, queue, args, state, priority, attempt, run_lease, run_at)
SELECT 'task', 'canonical', jsonb_build_object('n', n), s::awa.job_state, (1 + n %% 4)::smallint, n, n,
    now() + CASE n %% 3 WHEN 0 THEN 1 ELSE -1 END * interval '1 hour'
FROM unnest(ARRAY['scheduled', 'retryable']) s, generate_series(1, 6) n;
"""

# What cleanup takes away, and beside each what it leaves; and schedules that have missed a year or more.
OLD = """
UPDATE awa.dlq_entries SET dlq_at = now() - CASE job_id % 2 WHEN 0 THEN 31 ELSE 29 END * interval '1 day';
INSERT INTO awa.runtime_instances (instance_id, hostname, pid, version, started_at, last_seen_at, snapshot_interval_ms,
    healthy, postgres_connected, poll_loop_alive, heartbeat_alive, shutting_down, leader, queues)
SELECT gen_random_uuid(), 'stale' || n, 1, '0.6.9', now(), now() - n * interval '1 hour', 10000, true, true, true, true,
    false, false, '[]'
FROM unnest(ARRAY[23, 25, 100]) n;
INSERT INTO awa.queue_descriptors (queue, descriptor_hash, last_seen_at)
SELECT 'q' || n, 'x', now() - n * interval '1 day' FROM unnest(ARRAY[29, 31]) n;
INSERT INTO awa.job_kind_descriptors (kind, descriptor_hash, last_seen_at)
SELECT 'k' || n, 'x', now() - n * interval '1 day' FROM unnest(ARRAY[29, 31]) n;
INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, queue, args, priority, max_attempts, tags, metadata,
    missed_fire_policy, last_enqueued_at, paused_at)
SELECT name, '0 0 1 1 *', zone, 'tick', 'ticks', '{"n": 1}', 3, 7, ARRAY['t'], '{"m": 1}', policy,
    now() - interval '3 years', CASE WHEN name = 'paused' THEN now() END
FROM (VALUES ('newest', 'UTC', 'coalesce'), ('all', 'Europe/Berlin', 'catch_up'), ('paused', 'UTC', 'coalesce'))
    v(name, zone, policy);
"""

STATES = "SELECT state::text, count(*) FROM awa.jobs WHERE queue IN ('rows', 'batches') GROUP BY 1"
PROGRESS = "SELECT count(*) FROM awa.attempt_state WHERE progress IS NOT NULL"
RECEIPTS = f"SELECT count(*) FROM ({tables.OPEN_RECEIPTS}) o"


def fill(world):
    session = world.session
    session.execute(SUPERSEDED, {"queues": list(QUEUES)})
    for do in ENDS:
        session.execute(ENQUEUE, {"do": do, "queues": list(QUEUES), "each": EACH})
    session.execute(TRIED_BEFORE)
    queues = [{"name": "rows", "max_workers": 200, "deadline_duration_ms": 3_600_000},
              {"name": "batches", "max_workers": 200, "deadline_duration_ms": 0}]
    with world.worker(queues):
        wait_until(lambda: is_worked_off(session), 60, "the worker leaves every job as it was told")
    yield
    session.execute(AFTER.replace("%%", "%"))
    bury(world)
    session.execute(OLD)


def bury(world):
    """Half of the failed jobs become dead letters, as an operator has it."""
    for job in world.column("SELECT job_id FROM done_entries WHERE state = 'failed' AND job_id % 3 > 0"):
        world.operator.move_failed_to_dlq(job, "by hand")


def is_worked_off(session):
    each = EACH * len(QUEUES)
    states = {state: each for state in ENDS.values() if state}
    open_receipts = 4 * each + SUPERSEDED_JOBS * len(QUEUES)  # of those that hang in some way
    return (dict(session.execute(STATES).fetchall()) == states
            and session.execute(RECEIPTS).fetchone()[0] == open_receipts
            and session.execute(PROGRESS).fetchone()[0] == each)
