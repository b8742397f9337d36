#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One database, copied: Awa's own leader keeps some of the copies, Lockkeeper another, and then
every table is compared row by row. Run by `./dev test conformance`.

Three things must hold. Awa beside Awa gives no difference, or the comparison is worth nothing.
Faults that are planted in a copy are seen, each of them. And Lockkeeper differs only as
differences.py says, a row for each defect of the reference that it mends.
"""

import argparse
import concurrent.futures
import contextlib
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / ".dev" / "stage"), str(HERE.parent / "benchmarks")]

import faults  # noqa: E402
import history  # noqa: E402
import tables  # noqa: E402
from cluster import Cluster  # noqa: E402
from differences import DIFFERENCES  # noqa: E402
from ending import raise_on_signals  # noqa: E402
from filling import fill, is_alone  # noqa: E402
from scene import AWA, SETTINGS, Scene, wait_until  # noqa: E402

# What is left to do for the duties that are compared.
PENDING = """
SELECT (SELECT count(*) FROM awa.deferred_jobs d WHERE d.run_at <= now()
            AND d.queue NOT IN (SELECT m.queue FROM awa.queue_meta m WHERE m.paused))
     + (SELECT count(*) FROM awa.scheduled_jobs s WHERE s.run_at <= now() AND s.state = 'scheduled')
     + (SELECT count(*) FROM awa.jobs_hot j WHERE j.state = 'running'
            AND LEAST(j.heartbeat_at + interval '90 s', j.deadline_at) < now()
            OR j.state = 'waiting_external' AND j.callback_timeout_at < now())
     + (SELECT count(*) FROM awa.dlq_entries q WHERE q.dlq_at < now() - interval '30 days')
     + (SELECT count(*) FROM awa.runtime_instances i WHERE i.last_seen_at < now() - interval '1 day')
     + (SELECT count(*) FROM awa.queue_descriptors d WHERE d.last_seen_at < now() - interval '30 days')
     + (SELECT count(*) FROM awa.job_kind_descriptors d WHERE d.last_seen_at < now() - interval '30 days')
     + (SELECT count(*) FROM awa.cron_jobs c WHERE c.paused_at IS NULL
            AND c.last_enqueued_at < now() - interval '1 year')
     + (SELECT count(*) FROM awa.leases l WHERE l.state = 'waiting_external' AND l.callback_timeout_at < now()
            OR l.state = 'running' AND l.deadline_at < now())
"""
LIMIT = 180.0  # Awa cleans once a minute
OFTEN_HERE = """
[branches.rescue_stale_heartbeats]
every = "500ms"
[branches.rescue_expired_deadlines]
every = "500ms"
[branches.rescue_expired_callbacks]
every = "500ms"
[branches.cleanup]
every = "1s"
"""
OFTEN_THERE = {f"{rescue}_rescue_interval_ms": 500 for rescue in ("heartbeat", "deadline", "callback")}


def awa(scene):
    scene.lead_by_awa({"nothing": 1}, leader_election_interval_ms=200, **OFTEN_THERE)


def lockkeeper(scene):
    scene.lead(OFTEN_HERE)


def results_of(cluster, leaders):
    """What each of the leaders makes of a copy of the filled database, all at the same time."""
    with contextlib.ExitStack() as stack:
        scenes = [stack.enter_context(Scene(cluster)) for _ in leaders]
        began = scenes[0].value("SELECT now()")
        for lead, scene in zip(leaders, scenes):
            lead(scene)
        with concurrent.futures.ThreadPoolExecutor(len(scenes)) as pool:
            return list(pool.map(lambda scene: settled(scene, began), scenes))


def settled(scene, began):
    """What stands there once nothing is left to do and nothing changes any more."""
    last, same = None, 0

    def is_settled():
        nonlocal last, same
        if scene.value(PENDING):
            return False
        seen = tables.read_all(scene.admin, began)
        same = same + 1 if seen == last else 0
        last = seen
        return same >= 5
    wait_until(is_settled, LIMIT, "the leader has done its duties", every=0.5)
    return last


def complaints(expected, found, known=()):
    """Sentences about what differs and should not; and about differences that are listed in vain."""
    seen = set()
    for view in tables.VIEWS:
        missing, surplus = tables.difference(expected[view], found[view])
        for word, rows, result in (("missing", missing, expected), ("surplus", surplus, found)):
            for row in rows:
                reasons = [each.defect for each in known if each.view == view
                           and each.is_in_reference == (word == "missing") and each.explains(row, result)]
                seen.update(reasons)
                if not reasons:
                    yield f"{view}: {word} {row}"
    yield from (f"{each.defect} is listed and makes no difference" for each in known if each.defect not in seen)


def report(title, found):
    print(f"{title}: {len(found)} differences", flush=True)
    for sentence in found[:40]:
        print(f"  {sentence}", flush=True)
    return len(found)


def conforms(seed=None):
    """Whether the fixed filling, and a random history on top of it if there is a seed, comes out the same."""
    cluster = Cluster("conformance", SETTINGS)
    try:
        cluster.start()
        cluster.make_database(AWA)
        fill(cluster)
        if seed is not None:
            with cluster.connect("app") as session:
                history.live(session, cluster.url("app"), seed)
            wait_until(lambda: is_alone(cluster), 20, "everybody has left the database")
        reference, other, ours = results_of(cluster, (awa, awa, lockkeeper))
        print("rows: " + ", ".join(f"{view} {len(rows)}" for view, rows in reference.items()), flush=True)
        bad = report("Awa beside Awa", list(complaints(reference, other)))
        bad += report("faults that were not seen", faults.unseen(reference, complaints))
        bad += report("Lockkeeper beside Awa", list(complaints(reference, ours, DIFFERENCES)))
    finally:
        cluster.remove()
    return not bad


def is_equal(seed):
    """A leader that is never done is a difference like any other: the next history runs all the same."""
    try:
        return conforms(seed)
    except RuntimeError as error:
        print(error, flush=True)
        return False


def seeds_of(words):
    parser = argparse.ArgumentParser(description="Awa's leader and Lockkeeper on copies of one database")
    parser.add_argument("--histories", type=int, default=0, help="how many random histories; with none the fixed filling alone")
    parser.add_argument("--seed", type=int, help="of the first history; the next ones count on")
    options = parser.parse_args(words)
    first = random.randrange(1_000_000) if options.seed is None else options.seed
    return range(first, first + options.histories) if options.histories else [None]


def main():
    raise_on_signals()
    failed = 0
    for seed in seeds_of(sys.argv[1:]):
        if seed is not None:
            print(f"history {seed}", flush=True)
        if not is_equal(seed):
            failed += 1
            again = "" if seed is None else f"; again: ./dev conformance --histories 1 --seed {seed}"
            print(f"failed{again}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
