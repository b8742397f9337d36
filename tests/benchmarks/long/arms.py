# SPDX-License-Identifier: Apache-2.0
"""Who leads: Awa's own leader, Lockkeeper with the split switched off, or Lockkeeper.

In every arm the leader is a process of its own and the fleet's workers never ask for the lock, so
that what is compared is three ways to lead and not what a leader works on beside it.
"""

import dataclasses
import json
import sys

import children
import psycopg
from daemon import PROGRAM, Daemon
from long.duties import AWA_OPTIONS, DUTIES, OUR_TABLES
from scene import HERE, wait_until

ONE_LOOP = PROGRAM.parent / "tests" / "lockkeeper_one_loop"
HOLDER = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 1096237407 AND l.objid = 1296124238
  AND l.objsubid = 1 AND l.granted AND a.datname = current_database()
"""


@dataclasses.dataclass(frozen=True)
class Arm:
    name: str
    says: str
    program: object = None  # None: Awa's worker

    def is_awa(self):
        return self.program is None


ARMS = {arm.name: arm for arm in (
    Arm("awa", "Awa's own leader, 0.6.9"),
    Arm("one_loop", "Lockkeeper, one loop", ONE_LOOP),
    Arm("lockkeeper", "Lockkeeper", PROGRAM),
)}


class Leaders:
    """The leader of a block, its successors, and what they count."""

    def __init__(self, arm, scene, telemetry):
        self.arm = arm
        self.scene = scene
        self.processes = {}  # application to process, of all that live
        self.ever = {}  # application to whether it is Awa's
        self._daemons = {}
        self._counted = {}
        self._taken_back = {}
        self._telemetry = telemetry

    def add(self):
        """One that leads, or stands by while another does."""
        number = len(self.ever) + 1
        name = f"awa{number}-{self.scene.name}" if self.arm.is_awa() else f"lockkeeper{number}-{self.scene.name}"
        self.ever[name] = self.arm.is_awa()
        self.processes[name] = self._start_awa(name) if self.arm.is_awa() else self._start_ours(name)
        return name

    def _start_awa(self, name):
        url = f"{self.scene.url('awa_leader')}?application_name={name}"
        settings = {"queues": {"nothing": 1}, "options": AWA_OPTIONS,
                    "telemetry": [f"http://127.0.0.1:{self._telemetry.port}", name]}
        words = [sys.executable, "-B", HERE / "worker.py", url, json.dumps(settings)]
        return children.start(words, self.scene.cluster.folder / f"{name}.log")

    def _start_ours(self, name):
        self._daemons[name] = Daemon(self.scene.url("lockkeeper"), self.scene.cluster.folder, OUR_TABLES, name,
                                     windows=None, program=self.arm.program)
        return self._daemons[name].process

    def present(self):
        """The name of who leads, or None."""
        with psycopg.connect(self.scene.url("postgres"), autocommit=True) as session:
            row = session.execute(HOLDER).fetchone()
        return row[0] if row and row[0] in self.processes else None

    def wait(self):
        return wait_until(self.present, 30, "somebody leads")

    def look(self):
        """What they count, before it is lost with them; RuntimeError if one has ended by itself."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                raise RuntimeError(f"{name} has ended by itself")
        for name, daemon in self._daemons.items():
            if name in self.processes:
                found = daemon.scrape()
                self._counted[name] = sum(found.total("awa_maintenance_branch_overrun_total",
                                                      awa_maintenance_branch=duty.branch) for duty in DUTIES)
                self._taken_back[name] = found.total("lockkeeper_preemptions_total")

    def overruns(self):
        """Episodes, as the leaders count them themselves; None if none of them was ever heard."""
        counted = self._counted.values()
        if self.arm.is_awa():
            counted = [self._telemetry.overruns(name) for name in self.ever]
        heard = [count for count in counted if count is not None]
        return int(sum(heard)) if heard else None

    def taken_back(self):
        """Turns, as the leaders count them; None of Awa's, which has none."""
        return None if self.arm.is_awa() else int(sum(self._taken_back.values()))

    def kill(self):
        """The present one, if there is one."""
        name = self.present()
        if name is None:
            return
        self.look()
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self):
        for process in self.processes.values():
            children.stop(process)
