#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One database, copied: Awa's own leader keeps some of the copies, Lockkeeper another, and then
every table is compared row by row. Run by `./dev test conformance`.

Three things must hold. Awa beside Awa gives no difference, or the comparison is worth nothing.
Faults that are planted in a copy are seen, each of them. And Lockkeeper differs only as
differences.py says, a row for each defect of the reference that it mends.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / ".dev" / "stage"), str(HERE.parent / "benchmarks")]

import faults  # noqa: E402
import tables  # noqa: E402
from cluster import Cluster  # noqa: E402
from differences import DIFFERENCES  # noqa: E402
from ending import raise_on_signals  # noqa: E402
from filling import fill  # noqa: E402
from scene import AWA, SETTINGS, Scene, wait_until  # noqa: E402

# What is left to do for the duties that are compared.
PENDING = """
SELECT (SELECT count(*) FROM awa.deferred_jobs d WHERE d.run_at <= now()
            AND d.queue NOT IN (SELECT m.queue FROM awa.queue_meta m WHERE m.paused))
     + (SELECT count(*) FROM awa.scheduled_jobs s WHERE s.run_at <= now() AND s.state = 'scheduled')
     + (SELECT count(*) FROM awa.jobs_hot j WHERE j.state = 'running'
            AND LEAST(j.heartbeat_at + interval '90 s', j.deadline_at) < now()
            OR j.state = 'waiting_external' AND j.callback_timeout_at < now())
     + (SELECT count(*) FROM awa.leases l WHERE l.state = 'waiting_external' AND l.callback_timeout_at < now()
            OR l.state = 'running' AND l.deadline_at < now())
"""
LIMIT = 180.0
RESCUES = """
[branches.rescue_stale_heartbeats]
every = "500ms"
[branches.rescue_expired_deadlines]
every = "500ms"
[branches.rescue_expired_callbacks]
every = "500ms"
"""
OFTEN = {f"{rescue}_rescue_interval_ms": 500 for rescue in ("heartbeat", "deadline", "callback")}


def awa(scene):
    scene.lead_by_awa({"nothing": 1}, leader_election_interval_ms=200, **OFTEN)


def lockkeeper(scene):
    scene.lead(RESCUES)


def result_of(cluster, lead):
    """What a leader makes of a copy of the filled database."""
    with Scene(cluster) as scene:
        began = scene.value("SELECT now()")
        lead(scene)
        state = {"last": None, "same": 0}

        def is_settled():
            if scene.value(PENDING):
                return False
            seen = tables.read_all(scene.admin, began)
            state["same"] = state["same"] + 1 if seen == state["last"] else 0
            state["last"] = seen
            return state["same"] >= 5
        wait_until(is_settled, LIMIT, "the leader has done its duties", every=0.5)
        return state["last"]


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


def main():
    raise_on_signals()
    cluster = Cluster("conformance", SETTINGS)
    try:
        cluster.start()
        cluster.make_database(AWA)
        fill(cluster)
        reference = result_of(cluster, awa)
        print("rows: " + ", ".join(f"{view} {len(rows)}" for view, rows in reference.items()), flush=True)
        bad = report("Awa beside Awa", list(complaints(reference, result_of(cluster, awa))))
        bad += report("faults that were not seen", faults.unseen(reference, complaints))
        bad += report("Lockkeeper beside Awa", list(complaints(reference, result_of(cluster, lockkeeper), DIFFERENCES)))
    finally:
        cluster.remove()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
