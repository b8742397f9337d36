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
from figure import Row, milliseconds, number, quantile
from long import phases
from scene import wait_until

TITLE = "an enqueue beside the work of every branch, 2M rows"
RUNS = 3  # of each leader, on copies of one database
SECONDS = 20.0
LIMIT = 60.0  # seconds, if some branch has touched no row until then
ALONE = 5.0  # seconds before, in which nobody leads
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
DONE = "lockkeeper_branch_rows_total"
# Who is given work, by what fills the database.
WORK = {
    "queue storage": ("promote_scheduled", "rescue_stale_heartbeats", "rotate_queue", "cleanup", "batch_operations"),
    "canonical": ("promote_scheduled", "rescue_stale_heartbeats", "cleanup", "batch_operations", "priority_aging",
                  "recompute_dirty_admin_metadata", "refresh_admin_metadata"),
}
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


def enqueue(scene, what):
    """The seconds that each enqueue takes while something is done."""
    lanes = [("mail0", 2), ("stock", 3)]
    producers = [load.Caller(scene.url("app"), ENQUEUE.format(*lane), 0.01) for lane in lanes]
    try:
        what()
    finally:
        times = [each for producer in producers for each in producer.stop()]
    return times


def lead_to_work(scene, branches):
    """Lockkeeper leads until each of these branches has touched a row; RuntimeError with those that do not."""
    daemon = scene.lead()
    time.sleep(SECONDS)

    def idle():
        metrics = daemon.scrape()
        return [branch for branch in branches if not metrics.total(DONE, branch=branch)]

    wait_until(lambda: not idle(), LIMIT - SECONDS, lambda: f"not a row was touched by {', '.join(idle())}", every=0.5)


def lead_by_awa(scene):
    scene.lead_by_awa()
    time.sleep(SECONDS)


def repeated(bench, filled, lead):
    """The times of enqueues on copies of one database, of each run: while nobody leads, and afterwards."""
    alone, led = [], []
    for _ in range(1 if bench.is_quick else RUNS):
        with bench.scene(template=filled.name) as scene:
            alone.append(enqueue(scene, lambda: time.sleep(ALONE)))
            led.append(enqueue(scene, lambda: lead(scene)))
    return alone, led


def runs(values):
    return f"({', '.join(number(each) for each in sorted(values))})" if len(values) > 1 else ""


def rows(name, mine, theirs):
    """The worst run is what counts."""
    figures = (("an enqueue, max", 1, 1, 100), ("an enqueue, p99", 1, 0.99, None),
               ("an enqueue while nobody leads, max", 0, 1, None))
    for what, part, share, most in figures:
        ours, awa = ([milliseconds(quantile(run, share)) for run in found[part]] for found in (mine, theirs))
        yield Row(f"{name}: {what}", "ms", max(ours), runs(ours), awa=max(awa), awa_says=runs(awa), most=most)


def measure(bench):
    table = []
    for name, fill in (("queue storage", fill_storage), ("canonical", fill_canonical)):
        with bench.scene() as filled:
            fill(bench, filled)
            filled.leave()
            bench.say(f"{name}: Lockkeeper")
            mine = repeated(bench, filled, lambda scene: lead_to_work(scene, WORK[name]))
            bench.say(f"{name}: Awa")
            table += rows(name, mine, repeated(bench, filled, lead_by_awa))
    return table
