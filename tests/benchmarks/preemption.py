# SPDX-License-Identifier: Apache-2.0
"""Taking the turn back from hygiene, ten thousand times: preemption.cpp does it."""

import json
import pathlib

import children
import load
from figure import Row

TITLE = "preemption: end of grace → hygiene cancelled and rolled back → SLO sent"
PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "tests" / "preemption_benchmark"
COUNT = 10_000
STATEMENTS = {
    "a statement that waits": "SELECT pg_sleep(60)",
    "a statement that computes": "SELECT count(*) FROM pg_class a, pg_class b, pg_class c"
                                 " WHERE a.relname || b.relname || c.relname = 'x'",
}


def preempt(bench, statement, count):
    with bench.scene() as scene:
        return json.loads(children.run([PROGRAM, scene.url("app"), str(count), statement]))


def rows(label, found):
    sent = load.spread([each / 1e6 for each in found["sent_us"]])
    yield Row(f"{label}: p50", "ms", sent[0], most=1)
    yield Row(f"{label}: p99", "ms", sent[1], most=5)
    yield Row(f"{label}: max", "ms", sent[2])
    cancelled = load.spread([each / 1e6 for each in found["cancelled_us"]])
    yield Row(f"{label}: of it until the cancel is asked for, p99", "ms", cancelled[1])


def measure(bench):
    count = int(bench.scaled(COUNT) / len(STATEMENTS))
    table = []
    hits = preemptions = 0
    for label, statement in STATEMENTS.items():
        bench.say(f"{count} preemptions of {label}")
        found = preempt(bench, statement, count)
        table += rows(label, found)
        preemptions += len(found["sent_us"])
        hits += found["hits"]
    table.append(Row(f"SLO statements hit by our own cancel in {preemptions} preemptions", "", hits, most=0))
    return table
