# SPDX-License-Identifier: Apache-2.0
"""Lockkeeper beside the workers: its configuration, its process, what it says on /metrics."""

import collections
import pathlib
import re
import urllib.error
import urllib.request

import children

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "lockkeeper"

CONFIGURATION = """
[database]
url = "{url}"
role = "app"

[leadership]
takeover = "terminate"

[http]
listen = "127.0.0.1:{port}"

[branches.rescue_stale_heartbeats]
every = "1s"
staleness = "4s"
"""

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')


class Metrics:
    """One scrape. Absent series count as zero."""

    def __init__(self, text=""):
        self._series = collections.defaultdict(list)
        for name, labels, value in _SAMPLE.findall(text):
            self._series[name].append((dict(_LABEL.findall(labels)), float(value)))

    def total(self, name, **labels):
        return sum(value for found, value in self._series[name]
                   if all(found.get(key) == wanted for key, wanted in labels.items()))

    def labels(self, name, key):
        return list(dict.fromkeys(found[key] for found, _ in self._series[name] if key in found))

    def quantile(self, name, share, **labels):
        """The upper bound of the bucket that holds the share; None without observations."""
        buckets = collections.Counter()
        for found, value in self._series[name + "_bucket"]:
            if all(found.get(key) == wanted for key, wanted in labels.items()):
                buckets[float(found["le"])] += value
        ordered = sorted(buckets.items())
        if not ordered or ordered[-1][1] == 0:
            return None
        return next(bound for bound, count in ordered if count >= share * ordered[-1][1])


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Daemon:
    def __init__(self, url, folder):
        self.port = children.free_port()
        self.log = folder / "lockkeeper.log"
        configuration = folder / "lockkeeper.toml"
        configuration.write_text(CONFIGURATION.format(url=url, port=self.port))
        self.process = children.start([PROGRAM, "-c", configuration, "run"], self.log)
        self.ever_led = False

    def scrape(self):
        try:
            with _direct.open(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as answer:
                metrics = Metrics(answer.read().decode())
        except (OSError, urllib.error.URLError):
            return Metrics()
        self.ever_led = self.ever_led or metrics.total("lockkeeper_leader") == 1
        return metrics

    def stop(self):
        return children.stop(self.process)

    def last_words(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def faults(metrics, led):
    """What the daemon did not do."""
    if not led:
        yield "Lockkeeper never led"
    for branch in ("promote_scheduled", "rescue_stale_heartbeats"):
        if metrics.total("lockkeeper_branch_rows_total", branch=branch) == 0:
            yield f"{branch} moved no row"
    for ring in ("queue", "lease", "claim"):
        if metrics.total("awa_maintenance_rotate_attempts_total", awa_ring=ring, awa_ring_outcome="rotated") == 0:
            yield f"the {ring} ring never turned"
        # Leases are deleted one by one; their slots are truncated only once they have grown large.
        wanted = {"awa_ring_outcome": "pruned"} if ring != "lease" else {}
        if metrics.total("awa_maintenance_prune_attempts_total", awa_ring=ring, **wanted) == 0:
            yield f"no slot of the {ring} ring was pruned"
    if metrics.total("lockkeeper_branch_passes_total", branch="observe") == 0:
        yield "observe never ran"
