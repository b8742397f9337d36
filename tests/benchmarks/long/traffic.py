# SPDX-License-Identifier: Apache-2.0
"""The fleet under steady load: the demo's producer with jobs of every kind, its workers, one of which
is killed now and then, and its ledger, in which every job must have ended once and as expected."""

import sys
import time

import children
import fleet
import jobs
from figure import quantile
from ledger import Book, Ledger, Reader
from long import checks
from long.ticks import thousandfold

LOOK_EVERY = 3.0  # seconds; a finished job can be seen for fifteen
KILL_EVERY = 60.0
PAUSE = 0.1  # seconds between two jobs; with twice as many, two blocks side by side have no core to spare
QUEUES = ", ".join(f"'{queue}'" for queue in (*jobs.QUEUES, jobs.EXPORTS))
# Of the ledger's jobs: beside them there may be a hundred thousand others.
TERMINALS = f"""
SELECT job_id, run_lease, state::text FROM awa.terminal_jobs WHERE queue IN ({QUEUES})
UNION ALL
SELECT job_id, original_run_lease, 'failed' FROM awa.dlq_entries WHERE queue IN ({QUEUES})
"""
# Deferred jobs and open attempts; the views of the checks take minutes over ten thousand of them.
UNFINISHED = """
SELECT (SELECT count(*) FROM awa.deferred_jobs)
     + (SELECT count(*) FROM awa.lease_claims) - (SELECT count(*) FROM awa.lease_claim_closures)
     + (SELECT coalesce(sum(claimed_count), 0) FROM awa.lease_claim_batches)
     - (SELECT coalesce(sum(closed_count), 0) FROM awa.lease_claim_closure_batches)
"""


class Traffic:
    # Its workers never ask for the lock again. They beat more often than by default, since they are killed.
    OPTIONS = {"leader_election_interval_ms": 86_400_000, "heartbeat_interval_ms": 5_000}

    def __init__(self, scene):
        self.scene = scene
        self.folder = scene.cluster.folder / f"{scene.name}-ledger"
        self.folder.mkdir()
        self.reader = Reader(self.folder)
        self.ledger = Ledger()
        self.observer = fleet.Observer(self._look_from, Book(self.folder, "observer"), TERMINALS)
        self.fleet = self._new_fleet()
        words = [sys.executable, "-B", fleet.HERE / "producer.py", self._url("producer"), self.folder, str(PAUSE)]
        self.producer = children.start(words, scene.cluster.folder / "producer.log")
        self.killed = 0

    def _url(self, name):
        return f"{self.scene.url('app')}?application_name={name}"

    def _look_from(self):
        session = self.scene.cluster.connect("postgres", self.scene.name)
        session.execute(checks.PLANS)
        return session

    def _new_fleet(self):
        return fleet.Fleet(self._url("fleet"), self.folder, self.scene.cluster.folder / "workers.log", self.OPTIONS)

    def look(self):
        self.observer.look()
        self.ledger.add_all(self.reader.news())
        if self.fleet.fallen() or self.producer.poll() is not None:
            raise RuntimeError("a worker or the producer has ended by itself")

    def kill_one(self):
        if self.fleet.kill_one(self.observer, self.reader, self.ledger):
            self.killed += 1

    def kill_all(self):
        """All workers at once, at moments at which nothing that has ended is still to be written."""
        for _ in range(fleet.SIZE):
            self.kill_one()

    def completed(self):
        return sum("completed" in job.terminals.values() for job in self.ledger.jobs.values())

    def settle(self, limit):
        """No new jobs, and the last ones come to their end. How many have not when the limit is over,
        those of nobody's ledger included."""
        children.stop(self.producer)
        until = time.monotonic() + limit
        while True:
            self.observer.look()
            self.ledger.add_all(self.reader.news())
            if time.monotonic() > until:
                return int(self.scene.value(UNFINISHED))
            if not self.ledger.unsettled() and not self.scene.value(UNFINISHED):
                return 0
            time.sleep(0.5)

    def pickups(self):
        """From the moment at which a job could start until it did, of first attempts; milliseconds."""
        waits = []
        for job in self.ledger.jobs.values():
            firsts = [start for start in job.starts if start["attempt"] == 1]
            if firsts and job.run_at:
                waits.append(firsts[0]["at"] - job.run_at)
        return {"jobs": len(waits), "p50_ms": thousandfold(quantile(waits, 0.5)),
                "p99_ms": thousandfold(quantile(waits, 0.99)), "max_ms": thousandfold(quantile(waits, 1))}

    def stop(self):
        children.stop(self.producer)
        self.fleet.stop()
        self.observer.close()
