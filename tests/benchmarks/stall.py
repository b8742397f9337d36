# SPDX-License-Identifier: Apache-2.0
"""Two million rows of either storage with work for every branch, from the moment on in which somebody leads: how long
an enqueue takes meanwhile."""

import time

import admin
import cleanup
import debt_bomb
import load
import operations
import rescue
from figure import Row, milliseconds, quantile
from long import phases

TITLE = "an enqueue beside the work of every branch, 2M rows"
SECONDS = 60.0
ALONE = 10.0  # seconds before, in which nobody leads
ROWS = 2_000_000
SLICE = 200_000  # jobs of one kind; those that have ended in queue storage have two rows

# Jobs that wait in one lane of the present slot, as producers leave them, but all at once.
STOCK = """
WITH ring AS (SELECT current_slot, generation FROM awa.queue_ring_state),
first AS (SELECT awa.reserve_enqueue_seq('stock', 2::smallint, 0::smallint, %(count)s) AS seq),
segment AS (
    INSERT INTO awa.ready_segments (ready_slot, ready_generation, queue, priority, enqueue_shard, first_lane_seq, next_lane_seq,
        first_run_at)
    SELECT r.current_slot, r.generation, 'stock', 2, 0, f.seq, f.seq + %(count)s, now() FROM ring r, first f)
INSERT INTO awa.ready_entries (ready_slot, ready_generation, job_id, kind, queue, args, priority, attempt, run_lease,
    max_attempts, lane_seq, enqueue_shard, run_at, created_at)
SELECT r.current_slot, r.generation, nextval('awa.job_id_seq'), 'work', 'stock', '{}', 2, 0, 0, 25, f.seq + n - 1, 0, now(), now()
FROM ring r, first f, generate_series(1, %(count)s) n
"""
# What ended lies in a slot that is sealed.
TURN = """
WITH turned AS (UPDATE awa.queue_ring_state SET current_slot = current_slot + 1, generation = generation + 1 RETURNING *)
UPDATE awa.queue_ring_slots s SET generation = t.generation FROM turned t WHERE s.slot = t.current_slot
"""
# Canonical jobs that have expired, wait for long, have lost their worker, or are due.
CANONICAL = ("""
INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at, finalized_at)
SELECT 'work1', 'mail' || n %% 64, '{}', 'completed', now(), now() - interval '30 days' FROM generate_series(1, %s) n
""", """
INSERT INTO awa.jobs_hot (kind, queue, args, state, priority, run_at)
SELECT 'work1', 'mail' || n %% 64, '{}', 'available', 3, now() - interval '10 minutes' FROM generate_series(1, %s) n
""", """
INSERT INTO awa.jobs_hot (kind, queue, args, state, attempt, run_lease, run_at, heartbeat_at)
SELECT 'work1', 'mail' || n %% 64, '{}', 'running', 1, 1, now(), now() - interval '1 hour' FROM generate_series(1, %s) n
""", """
INSERT INTO awa.scheduled_jobs (kind, queue, args, state, run_at)
SELECT 'work1', 'mail' || n %% 64, '{}', 'scheduled', now() FROM generate_series(1, %s) n
""")
LESS_URGENT = {"op_kind": "set_priority", "priority": 3}
# One as others do, and one into the lane that the operator's jobs go to.
ENQUEUE = "SELECT awa.insert_job_compat('work', '{}', '{{}}', p_priority => {}::smallint)"


def fill_storage(bench, scene):
    """Jobs that wait, have ended, are due, dead letters that have expired, and attempts that nobody will end."""
    load.make_lanes(scene)
    scene.app.execute("SELECT awa.insert_job_compat('work', 'stock', '{}')")
    rows, count = int(bench.scaled(ROWS)), int(bench.scaled(SLICE))
    debt_bomb.finish(scene.app, count, count // 2)
    scene.app.execute(TURN)
    scene.app.execute(STOCK, {"count": rows - 4 * count})
    load.defer(scene, count, time.time())
    scene.app.execute(phases.EXPIRED, (count,))
    phases.claim(scene.app)
    scene.app.execute(rescue.AGE)
    scene.settle()
    operations.submit(scene, LESS_URGENT, {"queue": "stock"})


def fill_canonical(bench, scene):
    rows, count = int(bench.scaled(ROWS)), int(bench.scaled(SLICE))
    scene.admin.execute(cleanup.CANONICAL)
    admin.write(scene, (admin.FILL, rows - 4 * count), *((statement, count) for statement in CANONICAL))
    operations.submit(scene, LESS_URGENT, {"kind": "work1"})


def enqueue(scene, seconds, lead=lambda: None):
    """The seconds that each enqueue takes, from before somebody leads."""
    lanes = [("mail0", 2), ("stock", 3)]
    producers = [load.Caller(scene.url("app"), ENQUEUE.format(*lane), 0.01) for lane in lanes]
    try:
        lead()
        time.sleep(seconds)
    finally:
        times = [each for producer in producers for each in producer.stop()]
    return times


def beside(bench, fill, lead):
    """What an enqueue takes while nobody leads, and afterwards."""
    with bench.scene() as scene:
        fill(bench, scene)
        alone = enqueue(scene, bench.scaled(ALONE))
        return alone, enqueue(scene, bench.scaled(SECONDS), lambda: lead(scene))


def measure(bench):
    table = []
    for name, fill in (("queue storage", fill_storage), ("canonical", fill_canonical)):
        bench.say(f"{name}: Lockkeeper")
        alone, mine = beside(bench, fill, lambda scene: scene.lead())
        bench.say(f"{name}: Awa")
        awa_alone, theirs = beside(bench, fill, lambda scene: scene.lead_by_awa())
        table += [
            Row(f"{name}: an enqueue, max", "ms", 1000 * max(mine), awa=1000 * max(theirs), most=100),
            Row(f"{name}: an enqueue, p99", "ms", milliseconds(quantile(mine, 0.99)), awa=milliseconds(quantile(theirs, 0.99))),
            Row(f"{name}: an enqueue while nobody leads, max", "ms", 1000 * max(alone), awa=1000 * max(awa_alone)),
        ]
    return table
