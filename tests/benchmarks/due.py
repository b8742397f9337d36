# SPDX-License-Identifier: Apache-2.0
"""A job falls due: how long until a worker can have it, with a backlog behind it."""

import time

import load
from figure import Row
from scene import database_clock

TITLE = "scheduled job, due → available, 200 due/s"
PER_SECOND = 200
SECONDS = 25
GRACE = 10.0  # for those that are late
BACKLOGS = {"200k": 200_000, "1M": 1_000_000}
DAY = 86400.0


def follow(bench, scene):
    """Seconds of each job that became available in time, and how many did not."""
    count = int(PER_SECOND * bench.scaled(SECONDS))
    last = load.schedule(scene, count, PER_SECOND)
    end = last + GRACE
    late = {}
    while len(late) < count and database_clock(scene.app) < end:
        time.sleep(0.5)
        if database_clock(scene.app) > last:
            late = load.lateness(scene)
    return list(late.values()), count - len(late)


def backlog(bench, size, lead):
    with bench.scene() as scene:
        load.make_lanes(scene)
        load.defer(scene, size, database_clock(scene.app) + DAY, 0.01)
        scene.settle()
        lead(scene)
        return follow(bench, scene)


def rows(label, ours, awa):
    (our_values, our_missing), (awa_values, awa_missing) = ours, awa
    missing = f"({awa_missing} never in {GRACE:g} s)" if awa_missing else ""
    says = f"({our_missing} never in {GRACE:g} s)" if our_missing else ""
    names = (f"{label} behind, p50", f"{label} behind, p99", f"{label} behind, max")
    for name, mine, theirs in zip(names, load.spread(our_values), load.spread(awa_values)):
        is_p99 = name.endswith("p99")
        yield Row(name, "ms", mine, ours_says=says, awa=theirs, awa_says=missing, most=15 if is_p99 else None)


def measure(bench):
    found = []
    for label, size in BACKLOGS.items():
        size = int(bench.scaled(size)) if bench.is_quick else size
        bench.say(f"Lockkeeper with {size} deferred behind")
        ours = backlog(bench, size, lambda scene: scene.lead())
        bench.say(f"Awa with {size} deferred behind")
        awa = backlog(bench, size, lambda scene: scene.lead_by_awa())
        found += rows(label, ours, awa)
    return found
