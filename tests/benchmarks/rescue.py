# SPDX-License-Identifier: Apache-2.0
"""Ten thousand attempts that nobody will end: how long until all of them are back in the backlog."""

import dataclasses
import json
import time
import urllib.request

from figure import Row
from scene import database_clock, wait_until

TITLE = "10k stale claims, expired deadlines, expired callbacks → all retryable"
COUNT = 10_000
CLAIMED_AT_ONCE = 500
EVERY = 10.0  # seconds, so that a run need not wait for the next pass of the default interval, which is 30 s
AWA_INTERVAL = 30.0  # Awa's default, of all three
AWA_PASSES = 2

ENQUEUE = "SELECT count(awa.insert_job_compat('work', 'left', '{}')) FROM generate_series(1, %s)"
CLAIM = "SELECT count(*) FROM awa.claim_ready_runtime('left', %s, 300, 0)"
ADVANCE = """
SELECT awa.set_sequence_next(h.seq_name, (SELECT max(e.lane_seq) + 1 FROM awa.lease_claims e WHERE e.queue = 'left'))
FROM awa.queue_claim_heads h WHERE h.queue = 'left'
"""
# Back in the backlog, or already promoted from there: a second later at the earliest, so the last one still stands there.
RESCUED = """
SELECT count(*) + (SELECT count(*) FROM awa.ready_entries WHERE run_lease > 0),
       extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8
FROM awa.deferred_jobs WHERE run_lease > 0
"""

AGE = "UPDATE awa.lease_claims SET claimed_at = claimed_at - interval '1 hour'"
EXPIRE = "UPDATE awa.lease_claims SET deadline_at = now() - interval '1 second'"
TIME_OUT = "UPDATE awa.leases SET callback_timeout_at = now() - interval '1 second'"

# As workers leave attempts that wait for a callback.
PARK = """
INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, queue, state, priority, attempt,
    run_lease, max_attempts, lane_seq, enqueue_shard, attempted_at, callback_id, callback_timeout_at)
SELECT r.current_slot, r.generation, c.ready_slot, c.ready_generation, c.job_id, c.queue, 'waiting_external', c.priority,
    c.attempt, c.run_lease, c.max_attempts, c.lane_seq, c.enqueue_shard, c.claimed_at, gen_random_uuid(),
    now() + interval '1 hour'
FROM awa.lease_claims c CROSS JOIN awa.lease_ring_state r
"""


@dataclasses.dataclass
class Kind:
    """Why attempts are taken back, and how they are made so."""

    what: str
    branch: str
    age: str
    prepare: str = "SELECT"


KINDS = (Kind("stale claims", "rescue_stale_heartbeats", AGE),
         Kind("expired deadlines", "rescue_expired_deadlines", EXPIRE),
         Kind("expired callbacks", "rescue_expired_callbacks", TIME_OUT, PARK))


def abandon(scene, kind):
    """Claims as a worker with Awa's default deadline makes them, and nobody works on them."""
    scene.app.execute(ENQUEUE, (COUNT,))
    claimed = 0
    while claimed < COUNT:
        got = scene.app.execute(CLAIM, (CLAIMED_AT_ONCE,)).fetchone()[0]
        if got == 0:
            raise RuntimeError(f"only {claimed} of {COUNT} jobs can be claimed")
        claimed += got
        scene.app.execute(ADVANCE)
    scene.app.execute(kind.prepare)
    scene.settle()


def next_due(daemon, scene, kind):
    """When the next pass of the rescue is due, by the database's clock."""
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/status", timeout=5) as answer:
        status = json.load(answer)
    branch = next(each for each in status["branches"] if each["branch"] == kind.branch)
    return database_clock(scene.app) + branch["next_due_in_seconds"]


def ours(bench, kind):
    """Seconds from the due time of the pass until the commit of the last rescue."""
    with bench.scene() as scene:
        daemon = scene.lead(f'[branches.{kind.branch}]\nevery = "{EVERY:g}s"\n')
        abandon(scene, kind)
        wait_until(lambda: next_due(daemon, scene, kind) - database_clock(scene.app) > 8, 15, "a pass has just been")
        scene.app.execute(kind.age)
        due = next_due(daemon, scene, kind)
        return wait_until(lambda: rescued(scene), 60, "all are rescued", every=0.005) - due


def rescued(scene):
    so_many, last = scene.admin.execute(RESCUED).fetchone()
    return last if so_many >= COUNT else None


def awa(bench, kind):
    """What two passes of Awa rescue, and what that makes of the whole: it takes no more a pass."""
    with bench.scene() as scene:
        abandon(scene, kind)
        scene.app.execute(kind.age)
        scene.lead_by_awa()
        time.sleep(AWA_INTERVAL * AWA_PASSES + 5)
        so_many = scene.admin.execute(RESCUED).fetchone()[0]
        passes = -(-COUNT * AWA_PASSES // so_many) if so_many else None
        return so_many, (passes - 1) * AWA_INTERVAL if passes else None


def measure(bench):
    rows = []
    for kind in KINDS:
        bench.say(f"Lockkeeper, {kind.what}")
        seconds = ours(bench, kind)
        bench.say(f"Awa: {AWA_PASSES} intervals of {AWA_INTERVAL:g} s")
        so_many, estimate = awa(bench, kind)
        rows.append(Row(f"{kind.what}: due time of the pass → the last of 10k is retryable", "s", seconds, awa=estimate,
                        awa_says=f"(extrapolated from {so_many:,} in {AWA_PASSES} passes)", most=2))
    return rows
