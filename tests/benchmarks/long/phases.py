# SPDX-License-Identifier: Apache-2.0
"""What happens to the database while a block is measured: each phase disturbs it for as long as its
`with` block. What is not counted in seconds is a share of the block."""

import contextlib
import dataclasses
import threading
import time
import typing

import debt_bomb
import psycopg
import rescue

KILL_EVERY = 60.0
SCANNERS = 4
STALE = rescue.COUNT
DEAD_LETTERS = 300_000
FINISHED = 100_000
FAILED = 150_000  # a slot
FULL_SLOTS = 4

EXPIRED = """
INSERT INTO awa.dlq_entries (job_id, kind, queue, args, state, priority, attempt, run_lease, max_attempts, run_at,
    created_at, finalized_at, dlq_reason, dlq_at, original_run_lease)
SELECT nextval('awa.job_id_seq'), 'work', 'wreck', '{}', 'failed', 2, 1, 1, 1, now() - interval '60 days',
    now() - interval '60 days', now() - interval '60 days', 'left', now() - interval '40 days', 1
FROM generate_series(1, %s)
"""
SCAN = "SELECT count(*), sum(length(args::text)) FROM awa.ready_entries CROSS JOIN generate_series(1, 20)"
CHILD = "SELECT slot FROM awa.queue_ring_slots ORDER BY slot"


class Deed(threading.Thread):
    """Does one thing again and again until it is stopped; what goes wrong there is raised by stop()."""

    def __init__(self, work):
        super().__init__()
        self._work = work
        self._fault = None
        self.stopped = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopped.is_set():
                self._work(self.stopped)
        except Exception as fault:  # a thread has nobody else to tell
            self._fault = fault

    def stop(self):
        self.stopped.set()
        self.join()
        if self._fault:
            raise RuntimeError(f"the disturbance has failed: {self._fault}")


@contextlib.contextmanager
def working(works):
    deeds = [Deed(work) for work in works]
    try:
        yield
    finally:
        for deed in deeds:
            deed.stop()


def nothing(_):
    return contextlib.nullcontext()


def pin_horizon(block):
    """An idle transaction with a snapshot, for the middle three quarters."""
    def pin(stopped):
        if stopped.wait(block.seconds / 8):
            return
        with psycopg.connect(block.scene.url("postgres")) as session:
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            session.execute("SELECT txid_current(), count(*) FROM awa.queue_ring_state")
            stopped.wait(block.seconds * 3 / 4)
        stopped.wait()
    return working([pin])


def scan(block):
    """Snapshots that are read from for seconds, one after the other, several at a time."""
    def read(stopped):
        with psycopg.connect(block.scene.url("postgres")) as session:
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            until = time.monotonic() + 5
            while time.monotonic() < until and not stopped.is_set():
                session.execute(SCAN)
                time.sleep(0.2)
    return working([read] * SCANNERS)


def fill_with_debt(block):
    """All of it at once, when the block begins."""
    def fill(stopped):
        with psycopg.connect(block.scene.url("app"), autocommit=True) as session:
            debt_bomb.finish(session, FINISHED, failed=0)
            session.execute(EXPIRED, (DEAD_LETTERS,))
        stopped.wait()
    return working([fill])


def fill_with_failed(block):
    """When the block begins; whoever prunes their slots has to carry them on, lap after lap. Each of the slots next to
    each other takes Awa longer than 1.5 intervals, and three such passes in a row are what the overrun counter counts."""
    def fill(stopped):
        with psycopg.connect(block.scene.url("app"), autocommit=True) as session:
            debt_bomb.finish(session, FAILED, FAILED, FULL_SLOTS)
        stopped.wait()
    return working([fill])


def hold_children(block):
    """Somebody reads a child of the queue ring and forgets to end, one child after the other."""
    def hold(stopped):
        for slot in block.scene.column(CHILD):
            if stopped.is_set():
                return
            with psycopg.connect(block.scene.url("postgres")) as session:
                session.execute(f"SELECT count(*) FROM awa.ready_entries_{slot}")
                session.execute(f"SELECT count(*) FROM awa.lease_claims_{slot % 8}")
                stopped.wait(20)
    return working([hold])


def crash(block):
    """After a third all workers die at once, and with them others that had claimed ten thousand jobs."""
    def die(stopped):
        if stopped.wait(block.seconds / 3):
            return
        with psycopg.connect(block.scene.url("app"), autocommit=True) as session:
            claim(session)  # nobody beats for them, so they are stale soon
        block.ask(block.traffic.kill_all)
        block.scene.worker({"left": 16}, **block.traffic.OPTIONS)
        stopped.wait()
    return working([die])


def claim(session):
    session.execute(rescue.ENQUEUE, (STALE,))
    claimed = 0
    while claimed < STALE:
        claimed += session.execute(rescue.CLAIM, (rescue.CLAIMED_AT_ONCE,)).fetchone()[0]
        session.execute(rescue.ADVANCE)


def kill_leaders(block):
    """The leader is killed once a minute, and one that stands by takes over."""
    block.leaders.add()

    def kill(stopped):
        if stopped.wait(min(KILL_EVERY, block.seconds / 3)):
            return
        block.ask(block.leaders.kill)
        block.ask(block.leaders.add)
    return working([kill])


@dataclasses.dataclass(frozen=True)
class Phase:
    name: str
    says: str
    disturb: typing.Callable


PHASES = {phase.name: phase for phase in (
    Phase("clean", "nothing but the load", nothing),
    Phase("pinned", "the horizon is pinned by an idle transaction for three quarters of the block", pin_horizon),
    Phase("scanners", f"{SCANNERS} readers with repeatable-read snapshots of five seconds", scan),
    Phase("debt", f"{DEAD_LETTERS:,} expired dead letters, and {FINISHED:,} cancelled jobs in one slot, all at once",
          fill_with_debt),
    Phase("failed", f"{FULL_SLOTS} neighbouring slots with {FAILED:,} failed jobs each, within their retention, which every lap has "
          "to carry on", fill_with_failed),
    Phase("held", "somebody holds a child of the rings, another one every 20 s", hold_children),
    Phase("crash", f"all workers die at once, and {STALE:,} stale claims", crash),
    Phase("killed", "the leader is killed once a minute", kill_leaders),
)}
