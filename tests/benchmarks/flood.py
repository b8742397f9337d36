# SPDX-License-Identifier: Apache-2.0
"""200,000 jobs fall due at one instant, on either plane."""

import load
from figure import Row, milliseconds, quantile
from scene import database_clock, wait_until

TITLE = "promotion of 200k jobs due at one instant"
COUNT = 200_000
AHEAD = 25.0  # time enough to write them
LIMIT = 60.0  # how long Awa is given
EVERY_SECOND = """
[branches.rescue_stale_heartbeats]
every = "1s"
"""
LATENESS = "lockkeeper_branch_start_lateness_seconds"
OTHERS = ("rescue_stale_heartbeats", "rotate_queue", "rotate_lease", "rotate_claim")

PLANES = {
    "queue storage": (load.defer, "awa.deferred_jobs", "awa.ready_entries WHERE kind = 'work' AND NOT args ? 'due'"),
    "canonical": (load.defer_canonical, "awa.scheduled_jobs", "awa.jobs_hot WHERE state = 'available'"),
}


def flood(bench, plane, lead):
    """(jobs made available, seconds from the due time to the last of them, what the daemon counted)."""
    write, waiting, available = PLANES[plane]
    count = int(bench.scaled(COUNT))
    with bench.scene() as scene:
        load.make_lanes(scene)
        daemon = lead(scene)
        due = database_clock(scene.app) + AHEAD
        write(scene, count, due)
        scene.settle()
        if database_clock(scene.app) > due:
            raise RuntimeError(f"{count} jobs were not written within {AHEAD:g} s")
        wait_until(lambda: database_clock(scene.app) > due - 0.2, AHEAD, "the jobs fall due")
        before = daemon.scrape() if daemon else None
        wait_until(lambda: is_over(scene, waiting, due), LIMIT * 2, "the jobs are promoted", every=0.25)
        counted = daemon.scrape().since(before) if daemon else None
        moved = f"SELECT count(*), extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 - %s FROM {available}"
        promoted, took = scene.admin.execute(moved, (due,)).fetchone()
        left = scene.value(f"SELECT count(*) FROM {waiting}")
        return count - left, took if promoted else None, counted


def is_over(scene, waiting, due):
    has_none = scene.value(f"SELECT NOT EXISTS (SELECT FROM {waiting})")
    return has_none or database_clock(scene.app) > due + LIMIT


def rate(promoted, took):
    return promoted / took if promoted and took else 0.0


def punctuality(plane, counted):
    late = [counted.quantile(LATENESS, 1, branch=branch) for branch in OTHERS]
    rings = [value for value in late[1:] if value is not None]
    yield Row(f"{plane}: rescue starts late by at most", "ms", milliseconds(late[0]))
    yield Row(f"{plane}: rings start late by at most", "ms", milliseconds(quantile(rings, 1)))
    yield Row(f"{plane}: due times of rescue and rings that were missed", "",
              sum(counted.total("lockkeeper_branch_missed_ticks_total", branch=branch) for branch in OTHERS))


def measure(bench):
    table = []
    for plane in PLANES:
        bench.say(f"Lockkeeper, {plane}")
        promoted, took, counted = flood(bench, plane, lambda scene: scene.lead(EVERY_SECOND))
        bench.say(f"Awa, {plane}: at most {LIMIT:g} s")
        awa_promoted, awa_took, _ = flood(bench, plane, lead_by_awa)
        aim = {"least": 20_000} if plane == "queue storage" else {"times": 3, "more_is_better": True}
        awa_says = f"({awa_promoted:,} in {LIMIT:g} s)" if awa_promoted < bench.scaled(COUNT) else ""
        table.append(Row(f"{plane}: jobs promoted", "/s", rate(promoted, took), awa=rate(awa_promoted, awa_took),
                         awa_says=awa_says, **aim))
        table.append(Row(f"{plane}: until the last of {promoted:,}", "s", took))
        table += punctuality(plane, counted)
    return table


def lead_by_awa(scene):
    scene.lead_by_awa()
