# SPDX-License-Identifier: Apache-2.0
"""A fleet of workers with Awa's defaults is renewed one by one while jobs fall due: who leads meanwhile, and how
late those jobs are."""

import threading
import time

import children
import load
import psycopg
from cleanup import LATENESS, PASSES, SLO
from figure import Row, milliseconds
from long.ticks import LATE
from long.trace import PROMOTION
from scene import HOLDER, database_clock, wait_until
from windows import Watched

TITLE = "a fleet of five workers is renewed one by one"
FLEET = 5
PER_SECOND = 20
TAKES = 0.5  # seconds a job, so that some run whenever a worker is told to stop
WINDOWS = "5s"  # apart at least; a minute by default
SPACING = 20.0  # seconds between two workers: a new one asks for the lock within ten
GRACE = 15.0
MISSED = "lockkeeper_branch_missed_ticks_total"

# When a job fell due, and when it became available.
AVAILABLE = """
SELECT job_id, (args->>'due')::float8, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
FROM awa.ready_entries WHERE args ? 'due' AND attempt = 0
"""
TRIED_AGAIN = """
SELECT job_id FROM awa.ready_entries WHERE args ? 'due' AND attempt > 0
UNION SELECT job_id FROM awa.deferred_jobs WHERE args ? 'due' AND attempt > 0
"""


class Watch(threading.Thread):
    """Looks all the time who holds the lock, and now and then which jobs have become available."""

    def __init__(self, url):
        super().__init__()
        self.available = {}  # job to (due, available)
        self.tried_again = set()
        self.spans = []  # (user or None, from, to), once it is over
        self._url = url
        self._is_over = threading.Event()
        self.start()

    def run(self):
        changes, look_at = [], 0.0  # (time, who or None)
        with psycopg.connect(self._url, autocommit=True) as session:
            while not self._is_over.wait(0.002):
                holder = session.execute(HOLDER).fetchone()
                if not changes or holder != changes[-1][1]:
                    changes.append((time.time(), holder))
                if time.monotonic() >= look_at:
                    self._look(session)
                    look_at = time.monotonic() + 0.5
        ends = [at for at, _ in changes[1:]] + [time.time()]
        self.spans = [(holder and holder[1], at, end) for (at, holder), end in zip(changes, ends)]

    def _look(self, session):
        self.available.update((job, times) for job, *times in session.execute(AVAILABLE))
        self.tried_again.update(job for job, in session.execute(TRIED_AGAIN))

    def stop(self):
        self._is_over.set()
        self.join()

    def lateness(self):
        return [available - due for due, available in self.available.values()]

    def lateness_under(self, user):
        """Of jobs that fell due and became available in one span of that leader."""
        return [available - due for due, available in self.available.values()
                for holder, begin, end in self.spans if holder == user and begin <= due and available <= end]

    def lengths(self, user):
        return [end - begin for holder, begin, end in self.spans if holder == user]


def join_fleet(scene):
    return scene.worker(load.QUEUES, takes=TAKES)


def renew(bench, scene):
    """The watch, and how many jobs never became available."""
    spacing = bench.scaled(SPACING)
    count = int(FLEET * spacing * PER_SECOND)
    watch = Watch(scene.url("postgres"))
    try:
        end = load.schedule(scene, count, PER_SECOND) + GRACE
        for worker in list(scene.workers):
            next_at = time.monotonic() + spacing
            children.stop(worker, limit=30)
            scene.workers.remove(worker)
            join_fleet(scene)
            time.sleep(max(0.0, next_at - time.monotonic()))
        while len(watch.available) < count and database_clock(scene.app) < end:
            time.sleep(0.5)
    finally:
        watch.stop()
    return watch, count - len(watch.available)


def ours(bench):
    """As renew(), and what the daemon has counted meanwhile, beside windows and outside of them."""
    with bench.scene() as scene:
        daemon = scene.daemon(windows=WINDOWS)
        scene.wait_for_leader("lockkeeper")
        for _ in range(FLEET):
            join_fleet(scene)
        load.make_lanes(scene)
        wait_until(lambda: daemon.scrape().total("lockkeeper_leadership_changes_total", to="aside") >= FLEET, 180,
                   "each worker has led once")
        scene.wait_for_leader("lockkeeper")
        watched = Watched(daemon)
        try:
            found = renew(bench, scene)
        finally:
            counted = watched.stop()
        return *found, *counted


def awa(bench):
    with bench.scene() as scene:
        for _ in range(FLEET):
            join_fleet(scene)
        scene.wait_for_leader("app")
        load.make_lanes(scene)
        return renew(bench, scene)


def late_rows(branch, beside, outside):
    """The SLO lane is judged beside windows too. Hygiene has more to do when all of it is due at once; a branch that is
    due so rarely that it has passes only then is not judged by them."""
    late, late_beside = (milliseconds(each.quantile(LATENESS, 0.99, branch=branch)) for each in (outside, beside))
    has_passes = beside.total(PASSES, branch=branch) + outside.total(PASSES, branch=branch) > 0
    if late is None and late_beside is None and has_passes:
        yield Row(f"{branch}: start lateness, p99, at most", "ms", None, "its passes send nothing")
        return
    is_rare = late is None and late_beside is not None
    yield Row(f"{branch}: start lateness, p99, at most", "ms", late, "no pass outside of windows" if is_rare else "",
              most=None if is_rare else 1000 * LATE)
    yield Row(f"{branch}: the same beside windows", "ms", late_beside, most=1000 * LATE if branch in SLO else None)


def missed_row(lane, beside, outside):
    """Those beside windows are told and not judged, and so is promotion: it is brought forward to each due job, and how
    many of its own due times fall into such a pass is chance. That none was passed over, its latest start says."""
    missed = {branch: outside.total(MISSED, branch=branch) for branch in outside.labels(MISSED, "branch")
              if outside.total(MISSED, branch=branch, lane=lane)}
    whose = [f"{branch} {count:g}" for branch, count in missed.items()]
    says = ", ".join([*whose, f"beside windows {beside.total(MISSED, lane=lane):g}"])
    judged = sum(count for branch, count in missed.items() if branch != PROMOTION.branch)
    return Row(f"{lane} lane: due times swallowed by a pass that waited or ran", "", judged, f"({says})", most=0)


def measure(bench):
    bench.say("Lockkeeper")
    mine, missing, beside, outside = ours(bench)
    bench.say("Awa")
    theirs, awa_missing = awa(bench)
    windows = mine.lengths("app")
    hygiene = sorted(set(outside.labels(PASSES, "branch")) - set(SLO))
    found = [
        Row("times that a worker held the lock", "", len(windows)),
        Row("a worker leads in a window, longest", "ms", milliseconds(max(windows, default=None))),
    ]
    nobody, awa_nobody = mine.lengths(None), theirs.lengths(None)
    found += [
        Row("nobody holds the lock, longest", "ms", milliseconds(max(nobody, default=0)),
            awa=milliseconds(max(awa_nobody, default=0)), most=1000),
        Row("nobody holds the lock, in all", "ms", milliseconds(sum(nobody)), awa=milliseconds(sum(awa_nobody))),
    ]
    for name, our, their in zip(("p50", "p99", "max"), load.spread(mine.lateness()), load.spread(theirs.lateness())):
        found.append(Row(f"job due → available, {name}", "ms", our, awa=their))
    found += [
        Row("job due → available while Lockkeeper leads, max", "ms", load.spread(mine.lateness_under("lockkeeper"))[2]),
        *(row for branch in (*SLO, *hygiene) for row in late_rows(branch, beside, outside)),
        *(missed_row(lane, beside, outside) for lane in ("slo", "hygiene")),
        Row(f"{PROMOTION.branch}: start lateness, max, at most", "ms",
            milliseconds(outside.quantile(LATENESS, 1, branch=PROMOTION.branch)), most=1000 * PROMOTION.every),
        Row("jobs that never became available", "", missing, awa=awa_missing, most=0),
        Row("jobs that were tried again", "", len(mine.tried_again), awa=len(theirs.tried_again), most=0),
    ]
    return found
