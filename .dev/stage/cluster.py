# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL with an Awa database: own folder, own port, an ordinary user."""

import os
import pathlib
import shutil
import signal
import tempfile
import time

import children
import psycopg

PROGRAMS = pathlib.Path(os.environ.get("LOCKKEEPER_PG_BIN", "/usr/lib/postgresql/15/bin"))
OWNER = "owner.pid"

CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
max_connections = 100
"""

# The role that owns Awa's objects runs the workers; Lockkeeper acts as it. It sees who holds
# the lock, may end that session, and looks at nobody else's data.
ROLES = """
CREATE ROLE app LOGIN;
CREATE ROLE lockkeeper LOGIN IN ROLE app;
GRANT pg_read_all_stats TO app;
CREATE DATABASE app OWNER app;
"""

# The queue ring as it stands after its first round. Before, what ends in its first slot is gone with the next turn, and
# nobody can look at it.
ROUND = """
UPDATE awa.queue_ring_state SET current_slot = 0, generation = slot_count;
UPDATE awa.queue_ring_slots s SET generation = CASE s.slot WHEN 0 THEN r.slot_count ELSE s.slot END
FROM awa.queue_ring_state r WHERE s.slot < r.slot_count
"""


def remove_folder(folder):
    """The file that names its owner goes last, so that a rest is still known as one."""
    for part in ("postgresql", "."):
        for _ in range(100):
            shutil.rmtree(folder / part, ignore_errors=True)
            if not (folder / part).exists():
                break
            # A process that was killed a moment ago may still be writing.
            time.sleep(0.05)


def remove_leftovers(prefix):
    """Folders of those who were killed before they could clean up."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(prefix + "*"):
        try:
            pid = int((folder / OWNER).read_text())
            if not pathlib.Path(f"/proc/{pid}").exists():
                remove_folder(folder)
        except (OSError, ValueError):
            continue


class Cluster:
    def __init__(self, purpose, settings="shared_buffers = 128MB"):
        """The purpose is a word in the folder's name; the settings are those of postgresql.conf."""
        prefix = f"lockkeeper-{purpose}-"
        remove_leftovers(prefix)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        (self.folder / OWNER).write_text(str(os.getpid()))
        self.settings = settings
        self.user = children.server_user()
        self.port = children.free_port()
        self.process = None
        # The server's user must reach its own folder below; nobody may list this one.
        self.folder.chmod(0o711)

    def start(self):
        data = self.folder / "postgresql"
        data.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(data, self.user.pw_uid, self.user.pw_gid)
        children.run([PROGRAMS / "initdb", "-D", data / "data", "-U", "postgres", "-A", "trust",
                      "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], self.user)
        with open(data / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(CONFIGURATION.format(port=self.port, folder=data) + self.settings + "\n")
        self.process = children.start([PROGRAMS / "postgres", "-D", data / "data"],
                                      self.folder / "postgresql.log", self.user, signal.SIGQUIT)
        self._wait_until_ready()

    def _wait_until_ready(self):
        for _ in range(600):
            try:
                psycopg.connect(self.url("postgres", "postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError("PostgreSQL does not start:\n" + (self.folder / "postgresql.log").read_text())

    def make_database(self, awa_program, has_storage=True):
        """Migrated; without storage, which of them is used is not decided yet."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as admin:
            for statement in ROLES.strip().splitlines():
                admin.execute(statement)
        children.run([awa_program, "--database-url", self.url("app", "app"), "migrate"])
        if has_storage:
            with self.connect() as session:
                session.execute("SELECT awa.storage_auto_finalize_if_fresh('awa')")
                session.execute(ROUND)

    def set(self, setting, value):
        """Changes a setting that needs no restart."""
        with self.connect(database="postgres") as admin:
            admin.execute(f"ALTER SYSTEM SET {setting} = {value}")
            admin.execute("SELECT pg_reload_conf()")

    def url(self, user, database="app"):
        return f"postgres://{user}@127.0.0.1:{self.port}/{database}"

    def connect(self, user="postgres", database="app"):
        return psycopg.connect(self.url(user, database), autocommit=True)

    def remove(self):
        if self.process is not None:
            children.stop(self.process, signal.SIGINT, 20)
        remove_folder(self.folder)
