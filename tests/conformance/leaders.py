# SPDX-License-Identifier: Apache-2.0
"""The leaders that are compared, each on its own copy of a database, until nothing is left to do."""

import concurrent.futures
import contextlib
import os
import pathlib
import time

import psycopg
from notices import Listener
from reading import Reader
from scene import Scene, wait_until
from tables import MARKS, OPEN_RECEIPTS

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
LIMIT = 240.0
SAME = 5  # looks that see no change
LEFT_ALONE = 20  # looks in which a ring that nothing stops has not moved
GENERATIONS = " UNION ALL ".join(f"SELECT '{ring}', generation FROM {ring}_ring_state" for ring in ("queue", "lease", "claim"))

# Awa cleans once a minute, and no option changes it: its seconds are shorter, for all of its branches alike.
HURRY = {**os.environ, "LD_PRELOAD": str(BUILD / "tests" / "libhurried_clock.so"), "HURRY": "8"}
OFTEN_THERE = {f"{rescue}_rescue_interval_ms": 4000 for rescue in ("heartbeat", "deadline", "callback")}
OFTEN_HERE = "\n".join(f'[branches.{branch}]\nevery = "{every}"\n' for branch, every in (
    ("rescue_stale_heartbeats", "500ms"), ("rescue_expired_deadlines", "500ms"), ("rescue_expired_callbacks", "500ms"),
    ("cleanup", "1s"), ("priority_aging", "1s"), ("rotate_queue", "120ms"), ("rotate_lease", "120ms"),
    ("rotate_claim", "120ms"), ("batch_operations", "200ms"), ("terminal_count_rollup", "2s")))

# What is left to do for the duties that are compared, whichever plane is routed.
PENDING = {
    "deferred jobs": """deferred_jobs d WHERE d.run_at <= now() + interval '5 minutes'
        AND d.queue NOT IN (SELECT m.queue FROM awa.queue_meta m WHERE m.paused)""",
    "scheduled jobs": "awa.scheduled_jobs s WHERE s.run_at <= now() + interval '5 minutes'",
    "canonical attempts": """awa.jobs_hot j
        WHERE j.state = 'running' AND LEAST(j.heartbeat_at + interval '90 s', j.deadline_at) < now()
        OR j.state = 'waiting_external' AND j.callback_timeout_at < now()""",
    "leases": """leases l WHERE l.state = 'waiting_external' AND l.callback_timeout_at < now()
        OR l.state = 'running' AND l.deadline_at < now()""",
    "stale leases": """leases l LEFT JOIN attempt_state a USING (job_id, run_lease)
        WHERE l.state = 'running' AND COALESCE(a.heartbeat_at, l.heartbeat_at) < now() - interval '90 s'""",
    "stale receipts": f"""({OPEN_RECEIPTS}) o LEFT JOIN attempt_state a USING (job_id, run_lease)
        WHERE COALESCE(a.heartbeat_at, o.claimed_at) < now() - interval '90 s'
        AND NOT EXISTS (SELECT FROM leases l WHERE (l.job_id, l.run_lease) = (o.job_id, o.run_lease))""",
    "runtime instances": "awa.runtime_instances i WHERE i.last_seen_at < now() - interval '1 day'",
    "queue descriptors": "awa.queue_descriptors d WHERE d.last_seen_at < now() - interval '30 days'",
    "kind descriptors": "awa.job_kind_descriptors d WHERE d.last_seen_at < now() - interval '30 days'",
    "batch operations": "awa.batch_operations o WHERE o.finalized_at IS NULL OR o.retention_until < now()",
}
ROUTED = {
    "dead letters": "dlq_entries q WHERE q.dlq_at < now() - interval '30 days'",
}
CANONICAL = {
    "marks": f"({MARKS}) m",
    "priorities": "awa.jobs_hot j WHERE j.state = 'available' AND j.priority > 1 AND j.run_at <= now() - interval '60 s'",
    "canonical jobs": """awa.jobs_hot j WHERE j.finalized_at < now() - CASE j.state WHEN 'completed' THEN interval '24 h'
        WHEN 'failed' THEN interval '72 h' WHEN 'cancelled' THEN interval '72 h' END""",
}


def query_of(pending):
    return " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {rows}" for name, rows in pending.items())


def awa(scene, options):
    scene.environment = HURRY
    scene.lead_by_awa({"led": 1}, leader_election_interval_ms=1600, **OFTEN_THERE, **options)


def lockkeeper(scene, _options):
    scene.lead(OFTEN_HERE)


def is_at_rest(ring, generations, same):
    """Whether a ring stands before a row, has come round in the looks that were the same and met none, or is left alone."""
    has_come_round = generations[-1] - generations[-1 - same] >= ring["slot_count"]
    is_left_alone = len(generations) > LEFT_ALONE and generations[-1] == generations[-1 - LEFT_ALONE]
    return ring["stands_at"] is not None or has_come_round or is_left_alone


class Copy:
    """One copy of the filled database, with the leader that keeps it."""

    def __init__(self, cluster, schema, leader, stack):
        self.leader = leader.__name__
        self.scene = stack.enter_context(Scene(cluster))
        self.session = self.scene.admin
        self.session.execute(f"SET search_path = {schema}, awa")
        listening = stack.enter_context(psycopg.connect(self.scene.url("postgres"), autocommit=True))
        listening.execute(f"SET search_path = {schema}, awa")
        self.listener = Listener(listening)
        self.reader = Reader(self.session, self.scene.value("SELECT now()"))

    def is_routed(self):
        return self.scene.value("SELECT awa.active_queue_storage_schema() IS NOT NULL")

    def left(self):
        """What has not been done yet, and how often."""
        counts = self.session.execute(query_of(PENDING | (ROUTED if self.is_routed() else CANONICAL)))
        return {name: count for name, count in counts if count}

    def settled(self):
        """What stands there once nothing is left to do and nothing changes any more."""
        last, same, looks, began = None, 0, [], time.monotonic()

        def is_settled():
            nonlocal last, same
            looks.append(dict(self.session.execute(GENERATIONS).fetchall()))
            if self.left():
                same = 0
                return False
            seen = self.reader.read_all()
            same = same + 1 if seen == last else 0
            last = seen
            return same >= SAME and (not self.is_routed() or all(
                is_at_rest(ring, [look[ring["ring"]] for look in looks], same) for ring in seen["rings"]))
        try:
            wait_until(is_settled, LIMIT, "the leader has done its duties", every=0.3)
        except RuntimeError as error:
            raise RuntimeError(f"{self.leader}: {error}; left {self.left()}") from error
        print(f"{self.leader} was done after {time.monotonic() - began:.0f} s", flush=True)
        return {**last, "notices": self.listener.rows()}


@contextlib.contextmanager
def led(cluster, story, leaders):
    """Copies that the leaders have settled, all at the same time, and the results of each round: one, and one more
    after each turn that the storage takes. Nobody works on them any more."""
    with contextlib.ExitStack() as stack:
        copies = [Copy(cluster, story.schema, lead, stack) for lead in leaders]
        for lead, copy in zip(leaders, copies):
            lead(copy.scene, story.options)
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(copies)))
        rounds = [list(pool.map(Copy.settled, copies))]
        for turn in story.turns:
            for copy in copies:
                turn(copy.scene)
            rounds.append(list(pool.map(Copy.settled, copies)))
        for copy in copies:
            copy.scene.stop()
        yield copies, rounds
