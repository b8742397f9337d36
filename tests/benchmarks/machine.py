# SPDX-License-Identifier: Apache-2.0
"""What the figures come from: the machine, and the program as it was."""

import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ("lib", "daemon")


def _first(path, pattern):
    found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else "unknown"


def flush_milliseconds():
    """The median time of writing a page to the disk for good, where the server's folder will be."""
    times = []
    with tempfile.TemporaryFile(prefix="lockkeeper-bench-") as file:
        for _ in range(50):
            os.pwrite(file.fileno(), bytes(8192), 0)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - began)
    return statistics.median(times) * 1000


def busy_seconds():
    """For how long the cores that this process may use have worked so far, all of them together."""
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = [line.split() for line in pathlib.Path("/proc/stat").read_text(encoding="utf-8").splitlines()]
    ticks = sum(int(part) for line in lines if line[0] in mine for part in (*line[1:4], *line[6:8]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _git(*words):
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, *words, "--", *PROGRAM], capture_output=True,
                          text=True, check=True).stdout.strip()


def program():
    """The commit that changed the program last, with a word if something in it is newer."""
    return _git("log", "-1", "--format=%h") + ("-dirty" if _git("status", "--porcelain") else "")


def describe():
    return {
        "processor": _first("/proc/cpuinfo", r"^model name\s*: (.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_first("/proc/meminfo", r"^MemTotal:\s*(\d+)")) / 2**20),
        "system": _first("/etc/os-release", r'^PRETTY_NAME="(.*)"$'),
        "kernel": os.uname().release.split("-")[0],
        "flush_ms": flush_milliseconds(),
        "load_before": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
