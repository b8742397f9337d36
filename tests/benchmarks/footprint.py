# SPDX-License-Identifier: Apache-2.0
"""What a leader costs that has nothing to do, a minute."""

import os
import pathlib
import re
import time

from figure import Row

TITLE = "footprint as leader, idle"
SECONDS = 60
WARM_UP = 10
# Of the whole server.
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
CALLS = """
SELECT coalesce(sum(s.calls), 0)::bigint FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database() WHERE r.rolname IN ('app', 'lockkeeper')
"""


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def anonymous_megabytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^RssAnon:\s*(\d+) kB", status, re.MULTILINE)[1]) / 1024


def watch(bench, scene, process):
    """Anonymous memory, and a minute's processor seconds, statements and bytes of WAL."""
    scene.settle()
    time.sleep(WARM_UP)
    # Nothing is asked of the server while it is watched.
    seconds = bench.scaled(SECONDS)
    calls, wal, used = scene.value(CALLS), scene.value(WAL), processor_seconds(process.pid)
    began = time.monotonic()
    time.sleep(seconds)
    minutes = (time.monotonic() - began) / 60
    used = processor_seconds(process.pid) - used
    calls, wal = scene.value(CALLS) - calls, scene.value(WAL) - wal
    return anonymous_megabytes(process.pid), used / minutes, calls / minutes, wal / minutes / 1000


def measure(bench):
    with bench.quiet_server():
        bench.say("Lockkeeper")
        with bench.scene() as scene:
            ours = watch(bench, scene, scene.lead().process)
        bench.say("one Awa worker that leads")
        with bench.scene() as scene:
            awa = watch(bench, scene, scene.lead_by_awa())
    names = [("anonymous memory", "MB", 5), ("processor", "s/min", 0.3), ("statements", "/min", 2400),
             ("WAL", "kB/min", 15)]
    return [Row(name, unit, mine, awa=theirs, most=most)
            for (name, unit, most), mine, theirs in zip(names, ours, awa)]
