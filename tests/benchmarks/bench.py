# SPDX-License-Identifier: Apache-2.0
"""./dev bench [NAME...]: the benchmarks of docs/benchmarks.md, or some of them.

Each measures on a private PostgreSQL, and beside Lockkeeper the leader of Awa's own released
worker where the figure names it. Prints a table, writes build/bench/<name>.json, and leaves
nothing else behind. --write-docs puts what stands there into docs/benchmarks.md.

./dev bench long is another one: blocks over many hours, see long/command.py.
"""

import argparse
import contextlib
import importlib
import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".dev" / "stage"), str(ROOT / ".dev" / "demo")]
import machine  # noqa: E402
import page  # noqa: E402
from cluster import Cluster  # noqa: E402
from ending import Stopped, ignore_signals, raise_on_signals  # noqa: E402
from figure import HEADINGS  # noqa: E402
from scene import SETTINGS, Scene, make_template  # noqa: E402

NAMES = ["lateness", "rings", "prune_wait", "preemption", "due", "flood", "rescue", "cron", "cleanup", "operations",
         "admin", "stall", "debt_bomb", "takeover", "deploy", "move", "empty_pass", "footprint"]
RESULTS = ROOT / "build" / "bench"
QUICK = 5  # --quick measures for so many times less


class Bench:
    """What a benchmark may use: servers, scenes on them, how long to measure, a voice."""

    def __init__(self, is_quick):
        self.is_quick = is_quick
        self._began = time.monotonic()
        self._shared = None
        self._clusters = []

    def say(self, text):
        print(f"{time.monotonic() - self._began:7.1f} s  {text}", flush=True)

    def scaled(self, amount):
        return amount / QUICK if self.is_quick else amount

    def cluster(self, settings, has_storage=True):
        """A server of its own for one benchmark, which ends it with end(); without storage, nobody has decided yet
        which one is used."""
        cluster = Cluster("bench", SETTINGS + settings)
        self._clusters.append(cluster)
        make_template(cluster, has_storage)
        return cluster

    def end(self, cluster):
        self._clusters.remove(cluster)
        cluster.remove()

    def scene(self, cluster=None, template="app"):
        """A fresh database, on the server with 128 MB that the benchmarks share by default."""
        return Scene(cluster or self._shared_cluster(), template)

    @contextlib.contextmanager
    def quiet_server(self):
        """While it lasts, the shared server does no housekeeping of its own."""
        self._shared_cluster().set("autovacuum", "off")
        yield
        self._shared_cluster().set("autovacuum", "on")

    def _shared_cluster(self):
        if self._shared is None:
            self.say("starting a private PostgreSQL, migrated with Awa's released package")
            self._shared = self.cluster("shared_buffers = 128MB")
        return self._shared

    def close(self):
        for cluster in self._clusters:
            cluster.remove()


def measure(bench, name, place):
    figure = importlib.import_module(name)
    bench.say(f"{name}: {figure.TITLE}")
    rows = figure.measure(bench)
    found = {"name": name, "title": figure.TITLE, "quick": bench.is_quick, "machine": place,
             "commit": machine.program(),
             "headings": HEADINGS, "rows": [row.cells() for row in rows],
             "numbers": [{"figure": row.what, "unit": row.unit, "lockkeeper": row.ours, "awa": row.awa,
                          "ratio": row.ratio(), "met": row.is_met()} for row in rows]}
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print("\n" + page.plain_table(found) + "\n", flush=True)


def run(names, is_quick):
    """True if every benchmark came to its end; a missed aim is a figure, not a failure."""
    raise_on_signals()
    bench = Bench(is_quick)
    good = False
    try:
        place = machine.describe()
        for name in names:
            measure(bench, name, place)
        bench.say("done")
        good = True
    except Stopped:
        print("\nstopped")
    except RuntimeError as error:
        print(f"  FAULT: {error}")
    finally:
        ignore_signals()
        bench.close()
    return good


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="measure for a fifth of the time, to try it out")
    parser.add_argument("--write-docs", action="store_true",
                        help="put build/bench/*.json into docs/benchmarks.md and measure nothing")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    if options.write_docs:
        sys.exit(page.write(ROOT / "docs" / "benchmarks.md", RESULTS, NAMES))
    sys.exit(0 if run(options.names or NAMES, options.quick) else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["long"]:
        from long.command import main as main_of_long
        sys.exit(main_of_long(sys.argv[2:]))
    main()
