# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand jobs that wait, in queue storage or in canonical storage, or that are not due, get another
priority, or another queue: how fast that goes, and who waits."""

import itertools
import json
import time

import load
from cleanup import CANONICAL, has_begun
from figure import Row, milliseconds
from scene import wait_until

TITLE = "batch operations on 100k jobs: waiting, scheduled, canonical"
JOBS = 100_000
AWA_SECONDS = 30.0  # after its operation has begun
LATENESS = "lockkeeper_branch_start_lateness_seconds"

FILL = "SELECT count(awa.insert_job_compat('work', 'mail', jsonb_build_object('n', n))) FROM generate_series(1, %s) n"
DEFER = """
SELECT count(awa.insert_job_compat('work', 'mail', jsonb_build_object('n', n), 'scheduled', p_run_at => now() + interval '1 day'))
FROM generate_series(1, %s) n
"""
ENQUEUE = "SELECT awa.insert_job_compat('work', 'mail', '{}')"
SUBMIT = """
INSERT INTO awa.batch_operations (id, op_kind, filter, spec, state)
VALUES (gen_random_uuid(), %s, %s, %s, 'pending')
"""
MAIL = {"queue": "mail"}
IS_DONE = "SELECT state = 'completed' FROM awa.batch_operations"
HAS_BEGUN = "SELECT state = 'running' AND processed > 0 FROM awa.batch_operations"
PROCESSED = "SELECT processed FROM awa.batch_operations"
SPECS = {
    "set_priority": {"op_kind": "set_priority", "priority": 1},
    "move_queue": {"op_kind": "move_queue", "queue": "urgent", "priority": None},
}


def submit(scene, spec, filtered):
    """As an operator does, for the jobs that the filter lets through."""
    scene.admin.execute(SUBMIT, (spec["op_kind"], json.dumps(filtered), json.dumps(spec)))


def fill(scene, count):
    scene.app.execute(FILL, (count,))
    scene.settle()


def fill_deferred(scene, count):
    scene.app.execute(DEFER, (count,))
    scene.settle()


def fill_canonical(scene, count):
    scene.admin.execute(CANONICAL)
    fill(scene, count)


# What stands before the name of the operation, and where the jobs are.
PLACES = (("", fill), ("scheduled jobs: ", fill_deferred), ("canonical jobs: ", fill_canonical))


def lockkeeper(bench, place, kind, count):
    """Jobs a second from the submission to the end, beside a producer, and what that sees of it."""
    with bench.scene() as scene:
        place(scene, count)
        daemon = scene.lead()
        wait_until(lambda: has_begun(daemon), 20, "each branch of the SLO lane has had its first pass")
        before = daemon.scrape()
        producer = load.Caller(scene.url("app"), ENQUEUE, 0.01)
        began = time.monotonic()
        try:
            submit(scene, SPECS[kind], MAIL)
            wait_until(lambda: scene.value(IS_DONE), 300, f"{kind} is done", every=0.1)
            seconds = time.monotonic() - began
        finally:
            times = producer.stop()
        return scene.value(PROCESSED) / seconds, max(times), daemon.scrape().since(before)


def awa(bench, place, kind, count):
    """Jobs a second while it changes them; how long it looks for them is not counted."""
    with bench.scene() as scene:
        place(scene, count)
        scene.lead_by_awa()
        producer = load.Caller(scene.url("app"), ENQUEUE, 0.01)
        try:
            submit(scene, SPECS[kind], MAIL)
            wait_until(lambda: scene.value(HAS_BEGUN), 120, f"{kind} has begun", every=0.1)
            before, began = scene.value(PROCESSED), time.monotonic()
            time.sleep(bench.scaled(AWA_SECONDS))
            rate = (scene.value(PROCESSED) - before) / (time.monotonic() - began)
        finally:
            times = producer.stop()
        return rate, max(times)


def measure(bench):
    count = int(bench.scaled(JOBS))
    rows = []
    for (where, place), kind in itertools.product(PLACES, SPECS):
        name = where + kind
        bench.say(f"Lockkeeper, {name}, {count} jobs")
        rate, stall, metrics = lockkeeper(bench, place, kind, count)
        bench.say(f"Awa, {name}")
        awa_rate, awa_stall = awa(bench, place, kind, count)
        rows += [
            Row(f"{name}, jobs a second", "", rate, awa=awa_rate, times=1, more_is_better=True),
            Row(f"{name}, an enqueue meanwhile, max", "ms", 1000 * stall, awa=1000 * awa_stall, most=50),
            Row(f"{name}, start lateness of the SLO lane meanwhile, p99, at most", "ms",
                milliseconds(metrics.quantile(LATENESS, 0.99, lane="slo")), most=5),
        ]
    return rows
