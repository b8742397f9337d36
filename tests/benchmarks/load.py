# SPDX-License-Identifier: Apache-2.0
"""Jobs for a benchmark. Those that are measured carry their due time in their arguments."""

import threading
import time

import psycopg
from figure import quantile
from scene import database_clock

# As a producer does it, one by one.
SCHEDULE = """
SELECT count(awa.insert_job_compat('work', 'mail' || n %% 8, jsonb_build_object('due', %(first)s::float8 + n * %(step)s::float8),
       'scheduled', p_run_at => to_timestamp(%(first)s::float8 + n * %(step)s::float8)))
FROM generate_series(0, %(count)s::integer - 1) n
"""

# A backlog is only there: it is written as fast as it can be.
DEFER = """
INSERT INTO awa.deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease, max_attempts,
                               run_at, created_at, payload)
SELECT nextval('awa.job_id_seq'), 'work', 'mail' || n %% 8, '{}', 'scheduled', 2, 0, 0, 25,
       to_timestamp(%(first)s::float8 + n * %(step)s::float8), now(), '{}'
FROM generate_series(0, %(count)s::integer - 1) n
"""

DEFER_CANONICAL = """
INSERT INTO awa.scheduled_jobs (kind, queue, args, state, priority, run_at)
SELECT 'work', 'mail' || n %% 8, '{}', 'scheduled', 2, to_timestamp(%(first)s::float8)
FROM generate_series(1, %(count)s::integer) n
"""

# From the due time until the commit that made the job available.
LATENESS = """
SELECT job_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 - (args->>'due')::float8
FROM awa.ready_entries WHERE args ? 'due' AND attempt = 0
"""

class Caller:
    """Executes one statement again and again in a session of its own, as a producer or a worker does;
    the longest time that one takes is its stall."""

    def __init__(self, url, statement, pause):
        """Seconds between two of them."""
        self.times = []
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, args=(url, statement, pause))
        self._thread.start()

    def _run(self, url, statement, pause):
        with psycopg.connect(url, autocommit=True) as session:
            while not self._is_stopped:
                began = time.monotonic()
                session.execute(statement)
                self.times.append(time.monotonic() - began)
                time.sleep(pause)

    def stop(self):
        """The seconds that each has taken."""
        self._is_stopped = True
        self._thread.join()
        return self.times


QUEUES = {f"mail{n}": 8 for n in range(8)}


def run_evenly(scene, queue, per_second, seconds, now_and_then=lambda: None):
    """Jobs for workers that are there, four portions a second; does the other thing each five seconds."""
    statement = f"SELECT count(awa.insert_job_compat('work', '{queue}', '{{}}')) FROM generate_series(1, %s)"
    next_at = time.monotonic()
    end = next_at + seconds
    portions = 0
    while next_at < end:
        scene.app.execute(statement, (per_second // 4,))
        portions += 1
        if portions % 20 == 0:
            now_and_then()
        next_at += 0.25
        time.sleep(max(0.0, next_at - time.monotonic()))


def schedule(scene, count, per_second, ahead=2.0):
    """Jobs that fall due one after the other, the first so many seconds from now. Returns when
    the last one does, by the database's clock."""
    first = database_clock(scene.app) + ahead
    scene.app.execute(SCHEDULE, {"first": first, "step": 1 / per_second, "count": count})
    return first + (count - 1) / per_second


def make_lanes(scene):
    """A job in every queue that comes and goes, so that its lane exists as on a database in use."""
    scene.app.execute("SELECT awa.insert_job_compat('work', 'mail' || n, '{}') FROM generate_series(0, 7) n")


def defer(scene, count, first, step=0.0):
    """A backlog of queue storage; the first falls due at `first`, each later one a step after."""
    scene.app.execute(DEFER, {"first": first, "step": step, "count": count})


def defer_canonical(scene, count, due):
    scene.app.execute(DEFER_CANONICAL, {"first": due, "count": count})


def lateness(scene):
    """{job: seconds} of the measured jobs that still stand in the queue ring."""
    return dict(scene.admin.execute(LATENESS).fetchall())


def spread(values):
    """p50, p99 and maximum in milliseconds."""
    return [None if each is None else 1000 * each
            for each in (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1))]
