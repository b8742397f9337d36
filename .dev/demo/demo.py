# SPDX-License-Identifier: Apache-2.0
"""./dev demo: a private database, real Awa workers and jobs, and Lockkeeper leading it.

Ends by Ctrl-C, SIGTERM or --for 60s and leaves nothing behind. Exit code 0 says: Lockkeeper led,
promoted, rescued and turned all three rings, and, with --for, every job of the ledger reached its
expected state exactly once.
"""

import argparse
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "stage"))
import children  # noqa: E402
from cluster import Cluster  # noqa: E402
from daemon import Daemon  # noqa: E402
from ending import Stopped, ignore_signals, raise_on_signals  # noqa: E402
from metrics import Metrics  # noqa: E402

import verdict  # noqa: E402
from fleet import Fleet, Observer  # noqa: E402
from jobs import SCHEDULE  # noqa: E402
from ledger import Book, Ledger, Reader  # noqa: E402
from screen import Screen  # noqa: E402

LOOK_EVERY = 0.5
FIRST_KILL = 8.0
KILL_EVERY = 11.0
SETTLE_LIMIT = 60.0  # after the last job: its longest way is a kill, a rescue and two back-offs
BRANCHES = """
[branches.rescue_stale_heartbeats]
every = "1s"
staleness = "4s"

[branches.rescue_expired_deadlines]
every = "1s"

[branches.rescue_expired_callbacks]
every = "1s"
"""
# Of those that have more time, so that also a short demo sees them.
UNHURRIED = ("cleanup", "cron_sync", "priority_aging", "queue_stats", "terminal_count_rollup", "registration",
             "refresh_admin_metadata", "diagnose")
BRANCHES += "".join(f'[branches.{word}]\nevery = "5s"\n' for word in UNHURRIED)
# The same for a worker that leads.
LEADING = {"leader_election_interval_ms": 500, "heartbeat_rescue_interval_ms": 1000, "heartbeat_staleness_ms": 4000,
           "deadline_rescue_interval_ms": 1000, "callback_rescue_interval_ms": 1000}
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 60s or 2m")
    return float(match[1]) * UNITS[match[2]]


class Demo:
    def __init__(self, cluster, leader):
        self.cluster = cluster
        self.leader = leader
        self.screen = Screen()
        self.folder = cluster.folder / "ledger"
        self.folder.mkdir()
        self.reader = Reader(self.folder)
        self.ledger = Ledger()
        self.metrics = Metrics()
        self.daemon = self.fleet = self.producer = self.observer = None

    def start(self):
        self.screen.say("starting a private PostgreSQL")
        self.cluster.start()
        self.screen.say("migrating it with Awa's released package")
        self.cluster.make_database(pathlib.Path(sys.executable).parent / "awa")
        url = self.cluster.url("app")
        self.observer = Observer(self.cluster.connect, Book(self.folder, "observer"))
        self.fleet = Fleet(url, self.folder, self.cluster.folder / "workers.log",
                           LEADING if self.leader == "awa" else {})
        words = [sys.executable, "-B", HERE / "producer.py", url, self.folder]
        self.producer = children.start(words, self.cluster.folder / "producer.log")
        with self.cluster.connect("app") as operator:
            operator.execute(SCHEDULE)
        self.screen.say(f"{len(self.fleet.workers)} workers, a producer and a cron schedule are at work")
        if self.leader == "lockkeeper":
            self.daemon = Daemon(self.cluster.url("lockkeeper"), self.cluster.folder, BRANCHES)
            self.screen.say("Lockkeeper takes the lock from the worker that holds it")

    def look(self):
        self.observer.look()
        self.ledger.add_all(self.reader.news())
        if self.daemon is not None:
            self.metrics = self.daemon.scrape()
            if self.daemon.process.poll() is not None:
                raise RuntimeError("Lockkeeper ended by itself:\n" + self.daemon.last_words())
        for name in self.fleet.fallen():
            raise RuntimeError(f"{name} ended by itself, see workers.log:\n" + self.tail("workers.log"))
        if self.producer.poll() not in (None, 0):
            raise RuntimeError("the producer ended by itself:\n" + self.tail("producer.log"))
        self.screen.show(self.ledger.counts(), self.metrics, self.fleet)

    def tail(self, name):
        return "\n".join((self.cluster.folder / name).read_text(errors="replace").splitlines()[-15:])

    def produce(self, until):
        kill_at = time.monotonic() + FIRST_KILL
        while until is None or time.monotonic() < until:
            time.sleep(LOOK_EVERY)
            self.look()
            if time.monotonic() >= kill_at and (until is None or until - time.monotonic() > 5):
                name = self.fleet.kill_one(self.observer, self.reader, self.ledger)
                self.screen.say(f"killed {name} with SIGKILL; another takes its place" if name else
                                "no quiet moment for a kill")
                kill_at = time.monotonic() + KILL_EVERY

    def settle(self):
        """Stops the producer and waits until no job of the ledger is under way."""
        self.screen.say("no new jobs; waiting for the last ones")
        children.stop(self.producer)
        deadline = time.monotonic() + SETTLE_LIMIT
        self.look()
        while self.ledger.unsettled() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
            self.look()

    def verdict(self):
        self.look()
        faults = []
        if self.daemon is not None:
            faults += verdict.faults(self.metrics, self.daemon.ever_led)
        faults += self.ledger.faults()
        if self.fleet.killed and not self.ledger.counts()["rescued"]:
            faults.append("no job was started again after a kill")
        return faults

    def stop(self):
        """The daemon first: it must be able to leave beside a living database."""
        code = self.daemon.stop() if self.daemon is not None else 0
        if self.fleet is not None:
            self.fleet.stop()
        if self.producer is not None:
            children.stop(self.producer)
        if self.observer is not None:
            self.observer.close()
        return code


def report(demo, faults):
    counts = demo.ledger.counts()
    print(f"\njobs accepted {counts['accepted']}, final {counts['settled']}, started again after a kill "
          f"{counts['rescued']}; workers killed {demo.fleet.killed}")
    for fault in faults[:20]:
        print(f"  FAULT: {fault}")
    if len(faults) > 20:
        print(f"  … and {len(faults) - 20} more")
    print("every job reached its expected state exactly once" if not faults else f"{len(faults)} faults")


def play(demo, seconds):
    """True if everything was as it should be."""
    faults = []
    try:
        demo.start()
        demo.produce(time.monotonic() + seconds if seconds else None)
        demo.settle()
        faults = demo.verdict()
        report(demo, faults)
    except Stopped:
        print("\nstopping")
        if demo.daemon is not None:
            faults = list(verdict.faults(demo.metrics, demo.daemon.ever_led))
        elif demo.leader == "lockkeeper":
            faults = ["Lockkeeper was not started"]
        for fault in faults:
            print(f"  not seen: {fault}")
    finally:
        ignore_signals()
        code = demo.stop()
        if code != 0:
            print(f"  FAULT: Lockkeeper ended with {code}:\n{demo.daemon.last_words()}")
    return not faults and code == 0


def main():
    parser = argparse.ArgumentParser(prog="./dev demo")
    parser.add_argument("--for", dest="seconds", type=duration, help="end by itself, e.g. 60s")
    parser.add_argument("--leader", choices=["lockkeeper", "awa"], default="lockkeeper",
                        help="awa: the same without Lockkeeper, led by a worker")
    options = parser.parse_args()
    raise_on_signals()
    cluster = None
    try:
        cluster = Cluster("demo")
        good = play(Demo(cluster, options.leader), options.seconds)
    except Stopped:
        good = False
    except RuntimeError as error:
        print(f"  FAULT: {error}")
        good = False
    finally:
        if cluster is not None:
            cluster.remove()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
