# SPDX-License-Identifier: Apache-2.0
"""The workers of the demo, and their SIGKILLs; and the observer of final states."""

import itertools
import json
import pathlib
import signal
import sys
import time

import children
import psycopg

HERE = pathlib.Path(__file__).parent
SIZE = 3

TERMINALS = """
SELECT job_id, run_lease, state::text FROM awa.terminal_jobs
UNION ALL
SELECT job_id, original_run_lease, 'failed' FROM awa.dlq_entries
"""


class Observer:
    """Writes every final state into the ledger: the queue ring forgets them after a lap."""

    def __init__(self, connect, book, terminals=TERMINALS):
        self._terminals = terminals
        self._connect = connect
        self._session = None
        self._book = book
        self.seen = {}

    def look(self):
        if self._session is None or self._session.closed:
            self._session = self._connect()
        for job, lease, state in self._session.execute(self._terminals).fetchall():
            if self.seen.get((job, lease)) != state:
                self.seen[job, lease] = state
                self._book.write("terminal", id=job, lease=lease, state=state)
        return {job for job, _ in self.seen}

    def close(self):
        if self._session is not None:
            self._session.close()


class Fleet:
    def __init__(self, url, folder, log, options):
        """The options are those of AsyncClient.start."""
        self.words = [sys.executable, "-B", HERE / "worker.py", url, folder]
        self.options = json.dumps(options)
        self.log = log
        self.names = itertools.count(1)
        self.workers = {}
        self.killed = 0
        for _ in range(SIZE):
            self.add()

    def add(self):
        name = f"worker-{next(self.names)}"
        self.workers[name] = children.start([*self.words, name, self.options], self.log)

    def fallen(self):
        return [name for name, process in self.workers.items() if process.poll() is not None]

    def kill_one(self, observer, reader, ledger):
        """SIGKILL between a job's last line and its commit would make an honest second run look
        like a lost first one; so the victim is frozen, and killed once all it has just ended is final."""
        name, victim = next(iter(self.workers.items()))
        for _ in range(200):
            victim.send_signal(signal.SIGSTOP)
            time.sleep(0.15)
            final = observer.look()
            ledger.add_all(reader.news())
            if all(id in final for id in ledger.just_completed_by(name)):
                break
            victim.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        else:
            return None
        victim.kill()
        victim.wait()
        del self.workers[name]
        self.killed += 1
        self.add()
        return name

    def stop(self):
        for process in self.workers.values():
            process.terminate()
        return [children.stop(process, signal.SIGTERM, 8) for process in self.workers.values()]
