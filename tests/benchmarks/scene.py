# SPDX-License-Identifier: Apache-2.0
"""A fresh Awa database, whoever leads it and works on it; gone with its `with` block."""

import itertools
import json
import pathlib
import sys
import time

import children
from daemon import Daemon

HERE = pathlib.Path(__file__).parent
AWA = pathlib.Path(sys.executable).parent / "awa"
SETTINGS = """
shared_preload_libraries = 'pg_stat_statements'
track_commit_timestamp = on
max_wal_size = 4GB
"""

# Awa's maintenance lock.
HOLDER = """
SELECT l.pid, a.usename, a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 1096237407 AND l.objid = 1296124238
  AND l.objsubid = 1 AND l.granted AND a.datname = current_database()
"""

IS_TARGET_LIVE = """
SELECT count(*) > 0 FROM awa.runtime_instances WHERE transition_role = 'queue_storage_target' AND last_seen_at > now() - interval '20 s'
"""

PREPARE = ("prepare", "--engine", "queue_storage", "--details", '{"schema": "awa"}')

_names = itertools.count(1)


def wait_until(condition, limit, what, every=0.02):
    """What the condition says once it is true; RuntimeError after the limit."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise RuntimeError(f"waited {limit:g} s in vain: {what() if callable(what) else what}")
        time.sleep(every)


class Scene:
    def __init__(self, cluster, template="app"):
        """The cluster's database `app` is migrated, with queue storage, and nobody is in it; another template is a
        scene that has been left."""
        self.cluster = cluster
        self.name = f"scene{next(_names)}"
        self.daemons = []
        self.workers = []
        self.environment = None  # of workers to come: None is ours
        with cluster.connect(database="postgres") as admin:
            admin.execute(f"CREATE DATABASE {self.name} TEMPLATE {template} OWNER app STRATEGY file_copy")
        self.admin = cluster.connect("postgres", self.name)
        self.app = cluster.connect("app", self.name)
        self.admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def __enter__(self):
        return self

    def stop(self):
        """Nobody leads any more, or works."""
        for process in [each.process for each in self.daemons] + self.workers:
            children.stop(process)

    def leave(self):
        """Nobody is in the database any more, so that it can be copied."""
        self.stop()
        self.admin.close()
        self.app.close()

    def __exit__(self, *_):
        self.leave()
        if self.cluster.process.poll() is None:
            with self.cluster.connect(database="postgres") as admin:
                admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")

    def url(self, user):
        return self.cluster.url(user, self.name)

    def daemon(self, branches="", windows=None):
        """Lockkeeper with the defaults of its sample file, but for these tables. It leads all the time, as the other
        leader does, unless windows are so far apart."""
        # Whoever is called lockkeeper something is not taken for a worker that leads.
        name = f"lockkeeper{len(self.daemons) + 1}-{self.name}"
        self.daemons.append(Daemon(self.url("lockkeeper"), self.cluster.folder, branches, name, windows))
        return self.daemons[-1]

    def worker(self, queues=None, takes=0.0, **options):
        """A released Awa worker with its own defaults, but for these options; its jobs take so many seconds."""
        settings = {"queues": queues or {"nothing": 1}, "options": options, "takes": takes}
        words = [sys.executable, "-B", HERE / "worker.py", self.url("app"), json.dumps(settings)]
        self.workers.append(children.start(words, self.cluster.folder / f"{self.name}-workers.log",
                                           env=self.environment))
        return self.workers[-1]

    def holder(self):
        """(backend pid, user, client port) of who holds the maintenance lock, or None."""
        return self.admin.execute(HOLDER).fetchone()

    def wait_for_leader(self, user):
        return wait_until(lambda: (self.holder() or (0, ""))[1] == user, 20, f"{user} leads")

    def lead(self, branches=""):
        """Lockkeeper leads; started before any worker, which would lead otherwise."""
        daemon = self.daemon(branches)
        self.wait_for_leader("lockkeeper")
        return daemon

    def lead_by_awa(self, queues=None, **options):
        """A worker leads, with its own defaults."""
        worker = self.worker(queues, **options)
        self.wait_for_leader("app")
        return worker

    def storage(self, *words):
        """A step of the storage by Awa's own command line."""
        children.run([AWA, "--database-url", self.url("app"), "storage", *words])

    def prepare_storage(self):
        """As the guide has it before the transition: a worker of the new storage is there, which is returned; it asks for no lock."""
        self.storage(*PREPARE)
        worker = self.worker({"nothing": 1}, leader_election_interval_ms=36_000_000, storage_transition_role="queue_storage_target")
        wait_until(lambda: self.value(IS_TARGET_LIVE), 30, "a worker of queue storage is there")
        return worker

    def value(self, statement, *parameters):
        return self.admin.execute(statement, parameters or None).fetchone()[0]

    def column(self, statement, *parameters):
        return [row[0] for row in self.admin.execute(statement, parameters or None)]

    def settle(self):
        """A server that has nothing to catch up with: statistics made, pages written."""
        self.admin.execute("VACUUM ANALYZE")
        self.admin.execute("VACUUM")  # what the first has left behind in the catalogs
        self.admin.execute("CHECKPOINT")


def make_template(cluster, has_storage=True):
    """A server that runs, with a migrated database `app` that nobody has used."""
    cluster.start()
    cluster.make_database(AWA, has_storage)


def database_clock(session):
    return session.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()[0]
