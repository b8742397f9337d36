# SPDX-License-Identifier: Apache-2.0
"""Two million canonical jobs on a database without Awa's later schema patch: who waits while their counts are kept
right."""

import subprocess
import threading
import time

import load
import psycopg
from cleanup import LATENESS, has_begun
from figure import Row, milliseconds, quantile
from scene import AWA, wait_until

TITLE = "counts of 2M jobs of the canonical plane"
JOBS = 2_000_000
SECONDS = 70.0  # a refresh each minute
DURATION = "awa_maintenance_branch_duration_seconds"
REFRESH = "refresh_admin_metadata"

# Half of them in one queue.
FILL = """
INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at, finalized_at)
SELECT 'work' || n %% 4, CASE WHEN n %% 2 = 0 THEN 'mail0' ELSE 'mail' || n %% 64 END, '{}', 'completed', now(), now()
FROM generate_series(1, %s) n
"""
ENQUEUE = "SELECT awa.insert_job_compat('work1', 'mail%d', '{}')"
WRONG = """
SELECT count(*) FROM (
    (SELECT queue, count(*) FROM (SELECT queue FROM awa.jobs_hot UNION ALL SELECT queue FROM awa.scheduled_jobs) j
     GROUP BY queue EXCEPT SELECT queue, ref_count FROM awa.job_queue_catalog)
    UNION ALL
    (SELECT kind, count(*) FROM (SELECT kind FROM awa.jobs_hot UNION ALL SELECT kind FROM awa.scheduled_jobs) j
     GROUP BY kind EXCEPT SELECT kind, ref_count FROM awa.job_kind_catalog)) d
"""


class Functions:
    """Awa's own functions in a session of their own, as its leader calls them."""

    def __init__(self, url):
        self.refreshes = []  # seconds of each
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(url,))
        self._thread.start()

    def _run(self, url):
        refresh_at = time.monotonic() + 2
        with psycopg.connect(url, autocommit=True) as session:
            while not self._is_stopped.wait(2):
                session.execute("SELECT awa.recompute_dirty_admin_metadata(100)")
                if time.monotonic() < refresh_at:
                    continue
                began = time.monotonic()
                session.execute("SELECT awa.refresh_admin_metadata()")
                self.refreshes.append(time.monotonic() - began)
                refresh_at = began + 60

    def stop(self):
        self._is_stopped.set()
        self._thread.join()


def write(scene, *statements):
    """Statements and how many rows each writes; without triggers, which would only make it last."""
    scene.admin.execute("SET session_replication_role = replica")
    for statement, count in statements:
        scene.admin.execute(statement, (count,))
    scene.admin.execute("RESET session_replication_role")
    scene.settle()


def fill(scene, count):
    """A canonical database, as a migrator before the schema patch leaves it."""
    script = subprocess.run([AWA, "migrate", "--sql"], capture_output=True, text=True, check=True).stdout
    scene.app.execute("DROP SCHEMA awa CASCADE")
    scene.app.execute(script[:script.index("-- Schema patch ")])
    write(scene, (FILL, count))


def stalls(scene, seconds):
    """How long each enqueue takes, in a large queue and in another."""
    producers = [load.Caller(scene.url("app"), ENQUEUE % queue, 0.01) for queue in (0, 1)]
    time.sleep(seconds)
    return [each for producer in producers for each in producer.stop()]


def ours(bench, count, seconds):
    """Before somebody leads and while we do: what the machine does to an enqueue by itself is not ours."""
    with bench.scene() as scene:
        fill(scene, count)
        alone = stalls(scene, seconds)
        daemon = scene.lead()
        wait_until(lambda: has_begun(daemon), 20, "each branch of the SLO lane has had its first pass")
        before = daemon.scrape()
        times = stalls(scene, seconds)
        metrics = daemon.scrape()
        wait_until(lambda: scene.value(WRONG) == 0, 180, "all counts are right", every=1)
        return alone, times, metrics.since(before), metrics


def awa(bench, count, seconds):
    with bench.scene() as scene:
        fill(scene, count)
        functions = Functions(scene.url("app"))
        times = stalls(scene, seconds)
        functions.stop()
        return times, functions.refreshes


def measure(bench):
    count, seconds = int(bench.scaled(JOBS)), bench.scaled(SECONDS)
    bench.say(f"Lockkeeper, {count} jobs")
    alone, times, metrics, all_metrics = ours(bench, count, seconds)
    bench.say("Awa's own functions")
    awa_times, refreshes = awa(bench, count, seconds)
    return [
        Row("an enqueue meanwhile, max", "ms", 1000 * max(times), awa=1000 * max(awa_times), most=100),
        Row("an enqueue while nobody leads, max", "ms", 1000 * max(alone)),
        Row("an enqueue meanwhile, p99", "ms", milliseconds(quantile(times, 0.99)),
            awa=milliseconds(quantile(awa_times, 0.99))),
        Row("a refresh takes, at most", "s", all_metrics.quantile(DURATION, 1, awa_maintenance_branch=REFRESH),
            awa=max(refreshes, default=None)),
        Row("start lateness of the SLO lane meanwhile, p99, at most", "ms",
            milliseconds(metrics.quantile(LATENESS, 0.99, lane="slo")), most=5),
    ]
