# SPDX-License-Identifier: Apache-2.0
"""A database is moved from canonical storage to queue storage under its leader, by Awa's own command line, while jobs
fall due: how soon the new plane is served."""

import random
import time

import load
from figure import Row, milliseconds
from scene import PREPARE, wait_until

TITLE = "the move to queue storage, under a leader and a producer"
TIMES = 5
LIMIT = 10.0  # seconds for the ring to turn, or for new planes to be served
MOST = 2000  # milliseconds, of each step
LOOK = 1.0  # seconds between two looks of the daemon; a step comes at any moment between them
PAUSE = 0.05
# What the daemon says once it serves what a step has made of the planes.
SERVED = {"prepare": "transition=prepared routed=canonical", "enter-mixed-transition": "transition=mixed_transition routed=awa",
          "finalize": "transition=active routed=awa", "abort": "transition=canonical routed=canonical"}

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
# What nobody works on here, and finalize waits for.
FINISH = "DELETE FROM awa.scheduled_jobs; DELETE FROM awa.jobs_hot"
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


def served_after(scene, *words):
    """Seconds from the end of a step until the present leader serves what it has made; None after the limit."""
    log, said = scene.daemons[-1].log, SERVED[words[0]]
    time.sleep(random.uniform(0, LOOK))
    begins = log.stat().st_size
    scene.storage(*words)
    began = time.monotonic()
    while time.monotonic() - began < LIMIT:
        if said in log.read_bytes()[begins:].decode(errors="replace"):
            return time.monotonic() - began
        time.sleep(0.005)
    return None


def finish(scene):
    """Seconds until what finalize makes is served."""
    scene.admin.execute(FINISH)
    return served_after(scene, "finalize")


def give_up(bench, cluster):
    """{step: seconds until it is served}, of a move that nobody works on and that is given up."""
    with bench.scene(cluster) as scene:
        scene.lead()
        steps = (PREPARE, ("enter-mixed-transition", "--quiesced"), ("abort",))
        return {words[0]: served_after(scene, *words) for words in steps}


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


def times(bench):
    return max(1, int(bench.scaled(TIMES)))


def moves(bench, cluster, lead, finish=lambda scene: None):
    """Of all times together, with what finish() says of each."""
    turned, late, left, finished = [], [], 0, []
    for _ in range(times(bench)):
        with bench.scene(cluster) as scene:
            scene.app.execute(LATER)
            lead(scene)
            found = move(scene)
            turned.append(found[0])
            late += found[1]
            left += found[2]
            finished.append(finish(scene))
    return turned, late, left, finished


def longest(seconds):
    return None if None in seconds else milliseconds(max(seconds))


def measure(bench):
    cluster = bench.cluster("shared_buffers = 128MB", has_storage=False)
    bench.say("Lockkeeper")
    our_turned, our_late, our_left, finalized = moves(bench, cluster, lambda scene: scene.lead(), finish)
    bench.say("Lockkeeper, given up")
    steps = [give_up(bench, cluster) for _ in range(times(bench))]
    bench.say("Awa")
    awa_turned, awa_late, awa_left, _ = moves(bench, cluster, lambda scene: scene.lead_by_awa())
    bench.end(cluster)
    says = f"({awa_left} never in {LIMIT:g} s)" if awa_left else ""
    found = [Row("the command has ended → the queue ring has turned, max", "ms", longest(our_turned),
                 awa=longest(awa_turned), awa_says="" if longest(awa_turned) else f"not in {LIMIT:g} s", most=MOST)]
    served = {step: [each[step] for each in steps] for step in steps[0]} | {"finalize": finalized}
    for step, seconds in served.items():
        found.append(Row(f"{step} has ended → its planes are served, max", "ms", longest(seconds),
                         "" if longest(seconds) is not None else f"not in {LIMIT:g} s", most=MOST))
    for name, our, their in zip(("p50", "p99", "max"), load.spread(our_late), load.spread(awa_late)):
        found.append(Row(f"job of either plane, due → available, {name}", "ms", our, awa=their, awa_says=says,
                         most=MOST if name == "max" else None))
    found.append(Row("jobs that never became available", "", our_left, awa=awa_left, most=0))
    return found
