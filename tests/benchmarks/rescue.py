# SPDX-License-Identifier: Apache-2.0
"""Ten thousand attempts whose worker died: how long until all of them are back in the backlog."""

import json
import time
import urllib.request

import load
from figure import Row
from scene import database_clock, wait_until

TITLE = "10k stale claims → all retryable"
COUNT = 10_000
CLAIMED_AT_ONCE = 500
BRANCH = "rescue_stale_heartbeats"
# So that a run need not wait for the next pass of the default interval, which is 30 s.
EVERY = """
[branches.rescue_stale_heartbeats]
every = "10s"
"""
AWA_INTERVAL = 30.0  # Awa's default
AWA_PASSES = 2

ENQUEUE = "SELECT count(awa.insert_job_compat('work', 'left', '{}')) FROM generate_series(1, %s)"
CLAIM = "SELECT count(*) FROM awa.claim_ready_runtime('left', %s, 300, 0)"
ADVANCE = """
SELECT awa.set_sequence_next(h.seq_name, (SELECT max(e.lane_seq) + 1 FROM awa.lease_claims e WHERE e.queue = 'left'))
FROM awa.queue_claim_heads h WHERE h.queue = 'left'
"""
AGE = "UPDATE awa.lease_claims SET claimed_at = claimed_at - interval '1 hour' WHERE queue = 'left'"
RESCUED = """
SELECT count(*), extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8
FROM awa.lease_claim_closures WHERE outcome = 'rescued'
"""


def abandon(scene, count):
    """Claims as a worker with Awa's default deadline makes them, and nobody works on them."""
    scene.app.execute(ENQUEUE, (count,))
    claimed = 0
    while claimed < count:
        got = scene.app.execute(CLAIM, (CLAIMED_AT_ONCE,)).fetchone()[0]
        if got == 0:
            raise RuntimeError(f"only {claimed} of {count} jobs can be claimed")
        claimed += got
        scene.app.execute(ADVANCE)
    scene.settle()


def next_due(daemon, scene):
    """When the next pass of the rescue is due, by the database's clock."""
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/status", timeout=5) as answer:
        status = json.load(answer)
    branch = next(each for each in status["branches"] if each["branch"] == BRANCH)
    return database_clock(scene.app) + branch["next_due_in_seconds"]


def ours(bench, count):
    """Seconds from the due time of the pass until the commit of the last rescue."""
    with bench.scene() as scene:
        daemon = scene.lead(EVERY)
        abandon(scene, count)
        wait_until(lambda: next_due(daemon, scene) - database_clock(scene.app) > 8, 15, "a pass has just been")
        scene.app.execute(AGE)
        due = next_due(daemon, scene)
        done = wait_until(lambda: rescued(scene, count), 60, "all claims are rescued", every=0.005)
        return done - due


def rescued(scene, count):
    so_many, last = scene.admin.execute(RESCUED).fetchone()
    return last if so_many >= count else None


def awa(bench, count):
    """What two passes of Awa rescue, and what that makes of the whole: it takes no more a pass."""
    with bench.scene() as scene:
        abandon(scene, count)
        scene.app.execute(AGE)
        scene.lead_by_awa()
        time.sleep(AWA_INTERVAL * AWA_PASSES + 5)
        so_many = scene.admin.execute(RESCUED).fetchone()[0]
        passes = -(-count * AWA_PASSES // so_many) if so_many else None
        return so_many, (passes - 1) * AWA_INTERVAL if passes else None


def measure(bench):
    bench.say("Lockkeeper")
    seconds = ours(bench, COUNT)
    bench.say(f"Awa: {AWA_PASSES} intervals of {AWA_INTERVAL:g} s")
    so_many, estimate = awa(bench, COUNT)
    says = f"(extrapolated from {so_many:,} in {AWA_PASSES} passes)"
    return [Row("due time of the pass → the last of 10k is retryable", "s", seconds, awa=estimate, awa_says=says, most=2)]
