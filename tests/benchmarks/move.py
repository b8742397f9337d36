# SPDX-License-Identifier: Apache-2.0
"""A database is moved from canonical storage to queue storage under its leader, by Awa's own command line, while jobs
fall due: how soon the new plane is served."""

import time

import load
from figure import Row, milliseconds
from scene import wait_until

TITLE = "the move to queue storage, under a leader and a producer"
TIMES = 5
LIMIT = 10.0  # seconds for the ring to turn
PAUSE = 0.05

PRODUCE = """
SELECT awa.insert_job_compat('work', 'mail0', jsonb_build_object('due', extract(epoch FROM clock_timestamp())::float8 + 0.1),
    'scheduled', p_run_at => clock_timestamp() + interval '100 ms')
"""
LATENESS = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 - (args->>'due')::float8
FROM awa.ready_entries WHERE args ? 'due'
UNION ALL
SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 - (args->>'due')::float8
FROM awa.jobs_hot WHERE args ? 'due'
"""
# The first worker that comes decides over a database without jobs.
LATER = "SELECT awa.insert_job_compat('work', 'mail0', '{}', 'scheduled', p_run_at => now() + interval '1 day')"
LEFT = """
SELECT (SELECT count(*) FROM awa.deferred_jobs WHERE args ? 'due')
     + (SELECT count(*) FROM awa.scheduled_jobs WHERE args ? 'due')
"""

def turned_after(scene):
    """Seconds until the queue ring turns; None if it does not within the limit."""
    began = time.monotonic()
    while time.monotonic() - began < LIMIT:
        if scene.value("SELECT generation FROM awa.queue_ring_state") > 0:
            return time.monotonic() - began
        time.sleep(0.005)
    return None


def move(scene):
    """(seconds until the ring turned or None, lateness of each job, how many never became available)"""
    scene.prepare_storage()
    producer = load.Caller(scene.url("app"), PRODUCE, PAUSE)
    try:
        time.sleep(1)
        scene.storage("enter-mixed-transition")
        turned = turned_after(scene)
    finally:
        producer.stop()
    try:
        wait_until(lambda: scene.value(LEFT) == 0, LIMIT, "every job is available")
    except RuntimeError:
        pass  # they are counted
    return turned, scene.column(LATENESS), scene.value(LEFT)


def moves(bench, cluster, lead):
    turned, late, left = [], [], 0
    for _ in range(max(1, int(bench.scaled(TIMES)))):
        with bench.scene(cluster) as scene:
            scene.app.execute(LATER)
            lead(scene)
            found = move(scene)
            turned.append(found[0])
            late += found[1]
            left += found[2]
    return turned, late, left


def longest(turned):
    return None if None in turned else milliseconds(max(turned))


def measure(bench):
    cluster = bench.cluster("shared_buffers = 128MB", has_storage=False)
    bench.say("Lockkeeper")
    our_turned, our_late, our_left = moves(bench, cluster, lambda scene: scene.lead())
    bench.say("Awa")
    awa_turned, awa_late, awa_left = moves(bench, cluster, lambda scene: scene.lead_by_awa())
    bench.end(cluster)
    says = f"({awa_left} never in {LIMIT:g} s)" if awa_left else ""
    found = [Row("the command has ended → the queue ring has turned, max", "ms", longest(our_turned),
                 awa=longest(awa_turned), awa_says="" if longest(awa_turned) else f"not in {LIMIT:g} s", most=2000)]
    for name, our, their in zip(("p50", "p99", "max"), load.spread(our_late), load.spread(awa_late)):
        found.append(Row(f"job of either plane, due → available, {name}", "ms", our, awa=their, awa_says=says,
                         most=2000 if name == "max" else None))
    found.append(Row("jobs that never became available", "", our_left, awa=awa_left, most=0))
    return found
