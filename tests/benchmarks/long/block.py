# SPDX-License-Identifier: Apache-2.0
"""One block: a copy of the database, one arm that leads it, one phase that disturbs it."""

import os
import queue
import statistics
import time

import machine
from figure import quantile
from footprint import anonymous_megabytes
from long import checks, debt, ticks
from long.arms import ARMS, Leaders
from long.duties import DUTIES
from long.phases import PHASES
from long.sleeper import Sleeper
from long.trace import Trace
from long.traffic import KILL_EVERY, LOOK_EVERY, Traffic
from scene import Scene, database_clock

WARM_UP = 20.0  # seconds at most
MEMORY_SAMPLES = 12
SETTLE_LIMIT = 120.0  # a kill, a rescue, its back-off


class Block:
    def __init__(self, cluster, telemetry, name, seconds):
        """The name is those of the arm and the phase, and the number of the repetition."""
        self.arm, self.phase, self.repetition = ARMS[name[0]], PHASES[name[1]], name[2]
        self.seconds = seconds
        self.scene = Scene(cluster)
        self.leaders = Leaders(self.arm, self.scene, telemetry)
        self.traffic = None
        self.memory = []
        self._asked = queue.SimpleQueue()
        self._log = cluster.folder / "postgresql.log"

    def ask(self, deed):
        """For a disturbance: the deed is done between two looks at the fleet."""
        self._asked.put(deed)

    def run(self):
        self.scene.settle()
        log_begins = os.path.getsize(self._log)
        try:
            self.leaders.add()
            self.leaders.wait()
            self.traffic = Traffic(self.scene)
            self._watch(min(WARM_UP, self.seconds / 4))
            begin, turned = database_clock(self.scene.admin), debt.turns(self.scene)
            completed, busy = self.traffic.completed(), machine.busy_seconds()
            with Sleeper() as sleeper, self.phase.disturb(self):
                self._watch(self.seconds)
                end = database_clock(self.scene.admin)
                found = {"turns": debt.turns(self.scene) - turned, "left": debt.left(self.scene),
                         "completed": self.traffic.completed() - completed, "overruns": self.leaders.overruns(), "taken_back": self.leaders.taken_back(),
                         "busy_percent": self._share(machine.busy_seconds() - busy),
                         "woken_late_ms": sleeper.longest_ms()}
            found["unfinished"] = self.traffic.settle(SETTLE_LIMIT)
        finally:
            self._stop()
        trace = Trace(self.leaders.ever).read(self._log, log_begins)
        return {**self._name(), **found, **self._seen(trace, begin, end), **self._checked(trace)}

    def _share(self, busy):
        """Of the time of the cores, with the work of blocks side by side."""
        return round(100 * busy / self.seconds / len(os.sched_getaffinity(0)), 1)

    def _watch(self, seconds):
        end = time.monotonic() + seconds
        look_at = kill_at = sample_at = time.monotonic()
        kill_at += min(KILL_EVERY, self.seconds) / 2
        while time.monotonic() < end:
            time.sleep(0.05)
            while not self._asked.empty():
                self._asked.get()()
            if time.monotonic() >= look_at:
                self.traffic.look()
                self.leaders.look()
                look_at = time.monotonic() + LOOK_EVERY
            if time.monotonic() >= kill_at:
                self.traffic.kill_one()
                kill_at = time.monotonic() + KILL_EVERY
            if time.monotonic() >= sample_at:
                self._sample()
                sample_at += self.seconds / MEMORY_SAMPLES

    def _sample(self):
        name = self.leaders.present()
        if name:
            self.memory.append(round(anonymous_megabytes(self.leaders.processes[name].pid), 2))

    def _name(self):
        return {"arm": self.arm.name, "phase": self.phase.name, "repetition": self.repetition,
                "seconds": self.seconds, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}

    def _seen(self, trace, begin, end):
        terms = trace.anchors()
        branches = {}
        for duty in DUTIES:
            dues = ticks.due_times(terms, duty.every, begin, end)
            answered = ticks.answers(trace.starts[duty.branch], dues, duty.every, end)
            branches[duty.branch] = ticks.summary(list(answered))
        claims = {"sampled": len(trace.claims)}
        for label, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1)):
            claims[label] = ticks.thousandfold(quantile(trace.claims, share))
        return {"terms": len(terms), "branches": branches, "claims": claims, "pickups": self.traffic.pickups(),
                "memory_mb": self.memory, "memory_median_mb": statistics.median(self.memory or [0])}

    def _checked(self, trace):
        counts = self.traffic.ledger.counts()
        return {"jobs": {"accepted": counts["accepted"], "settled": counts["settled"], "rescued": counts["rescued"],
                         "workers_killed": self.traffic.killed},
                "audit_faults": self.traffic.ledger.faults()[:20],
                "broken": checks.broken(self.scene.admin),
                "fence_errors": trace.fences,
                "fence_is_shut": checks.is_fence_shut(self.scene.url("lockkeeper")),
                "missed_mutants": checks.missed_mutants(self.scene.admin)}

    def _stop(self):
        """The leader goes first: it leaves beside a living database."""
        self.leaders.stop()
        if self.traffic:
            self.traffic.stop()

    def close(self):
        self.scene.__exit__()
        os.truncate(self._log, 0)
