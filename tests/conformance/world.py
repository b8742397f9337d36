# SPDX-License-Identifier: Apache-2.0
"""The database `app` of a cluster while it is being filled, and those who fill it."""

import contextlib
import json
import pathlib
import sys

import awa
import children
from scene import AWA, wait_until

HERE = pathlib.Path(__file__).parent

# The library's connections may outlive their client for a while.
SEND_AWAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'app' AND backend_type = 'client backend'
"""


class World:
    def __init__(self, cluster, chance):
        """The chance decides whatever is left to it; with the same seed the same history comes out."""
        self.cluster = cluster
        self.chance = chance
        self.schema = "awa"  # of queue storage
        self.has_receipts = True  # of claims; without, every attempt has a lease from its beginning
        self.options = {}  # of workers that know that schema
        self.turns = ()  # of the storage, while it is led
        self.url = cluster.url("app")
        self.session = cluster.connect("app")
        self.session.execute("SET search_path = awa")
        self.operator = awa.Client(self.url, max_connections=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.operator.close()
        self.session.close()
        with self.cluster.connect(database="postgres") as admin:
            wait_until(lambda: not admin.execute(SEND_AWAY).fetchall(), 20, "nobody is in the database any more")

    def use_schema(self, schema, has_receipts, **slot_counts):
        """Queue storage stands in this schema, with rings of these sizes."""
        self.schema = schema
        self.has_receipts = has_receipts
        self.options = {"queue_storage_schema": schema,
                        **{f"queue_storage_{ring}_slot_count": count for ring, count in slot_counts.items()}}
        self.session.execute(f"SET search_path = {schema}, awa")

    def is_routed(self):
        return self.value("SELECT awa.active_queue_storage_schema() IS NOT NULL")

    def word(self):
        """Tells the names of one plane from those of the other."""
        return "q" if self.is_routed() else "c"

    def value(self, statement, *parameters):
        return self.session.execute(statement, parameters or None).fetchone()[0]

    def column(self, statement, *parameters):
        return [row[0] for row in self.session.execute(statement, parameters or None)]

    def cli(self, *words):
        """Awa's own command line."""
        return children.run([AWA, "--database-url", self.url, *words])

    @contextlib.contextmanager
    def worker(self, queues, schedules=(), **options):
        """A worker that does what its jobs say, until it is killed at the end of the block."""
        settings = {"queues": queues, "schedules": list(schedules), "options": {**self.options, **options}}
        words = [sys.executable, "-B", HERE / "filler.py", self.url, json.dumps(settings)]
        process = children.start(words, self.cluster.folder / "filler.log")
        try:
            yield process
        finally:
            children.stop(process)
