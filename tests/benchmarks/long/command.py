# SPDX-License-Identifier: Apache-2.0
"""./dev bench long: blocks of ten minutes, each an arm and a phase; what has been measured is kept.

Continues where the file of results ends. Several blocks at once have a server each and share the cores.
Blocks of half an hour have a file and a table of their own; those of any other length are for trying
and are kept in build/bench. --report writes docs/long-horizon.md from docs/long-horizon.
"""

import argparse
import multiprocessing
import os
import pathlib
import random

import machine
from cluster import Cluster
from ending import Stopped, ignore_signals, raise_on_signals
from jobs import SCHEDULE
from long import checks, plan, report, trace
from long.arms import ARMS
from long.block import Block
from long.phases import PHASES
from long.telemetry import Telemetry
from scene import SETTINGS, make_template

ROOT = pathlib.Path(__file__).resolve().parents[3]
SECONDS = 600.0
HALF_AN_HOUR = 1800.0
KEPT = {SECONDS: "blocks.ndjson", HALF_AN_HOUR: "half-hours.ndjson"}  # in docs; other lengths are to try it out
REPETITIONS = 3


def prepare(cluster):
    """The database that every block has a copy of: fenced, with the demo's schedule."""
    make_template(cluster)
    with cluster.connect(database="postgres") as admin:
        for statement in trace.ROLES.strip().splitlines():
            admin.execute(statement)
    with cluster.connect("app") as app:
        app.execute(SCHEDULE)
    with cluster.connect() as admin:
        checks.install(admin)


def measure(results, blocks, seconds, at_once):
    """One after the other, in one of so many shares."""
    cluster, telemetry = Cluster("long", SETTINGS + trace.PREFIX + "\nshared_buffers = 128MB\n"), Telemetry()
    try:
        prepare(cluster)
        for number, name in enumerate(blocks, start=1):
            label = f"{name[0]}, {name[1]}, the {name[2]}. time"
            print(f"block {number} of {len(blocks)}: {label}", flush=True)
            place = machine.describe()
            block = Block(cluster, telemetry, name, seconds)
            try:
                results.add({**block.run(), "machine": place, "at_once": at_once, "commit": machine.program()})
            except RuntimeError as error:
                results.failed(name, str(error))
                raise
            finally:
                block.close()
            print(f"  {label}: {report.line(results.blocks[-1])}", flush=True)
    finally:
        ignore_signals()
        telemetry.close()
        cluster.remove()


def attempt(results, blocks, seconds, at_once):
    """An exit code."""
    raise_on_signals()
    try:
        measure(results, blocks, seconds, at_once)
    except Stopped:
        print("\nstopped; the block under way is not kept")
        return 1
    except RuntimeError as error:
        print(f"  FAULT: {error}")
        return 1
    return 0


def attempt_share(results, blocks, seconds, at_once):
    raise SystemExit(attempt(results, blocks, seconds, at_once))


def attempt_at_once(results, blocks, seconds, at_once):
    """The blocks are dealt out, each share to a process."""
    shares = []
    for turn in range(min(at_once, len(blocks))):
        dealt = (results, blocks[turn::at_once], seconds, at_once)
        shares.append(multiprocessing.Process(target=attempt_share, args=dealt))
    raise_on_signals()
    try:
        for share in shares:
            share.start()
        for share in shares:
            share.join()
    except Stopped:
        for share in shares:
            share.terminate()
            share.join()
    return max((share.exitcode for share in shares), default=0)


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench long")
    parser.add_argument("--blocks", type=int, help="stop after so many; default: when none is missing")
    parser.add_argument("--at-once", type=int, default=1, help="blocks side by side, on the same cores")
    parser.add_argument("--arm", action="append", choices=list(ARMS), help="only this one; may be repeated")
    parser.add_argument("--phase", action="append", choices=list(PHASES), help="only this one; may be repeated")
    parser.add_argument("--block-seconds", type=float, default=SECONDS, help="1800 for its own table, others to try it out")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help="of a new plan")
    parser.add_argument("--seed", type=int, help="of a new plan's order")
    parser.add_argument("--report", action="store_true", help="write the report and measure nothing")
    return parser.parse_args(arguments)


def file_of(seconds):
    if seconds in KEPT:
        return ROOT / "docs" / "long-horizon" / KEPT[seconds]
    return ROOT / "build" / "bench" / f"long-{seconds:g}s.ndjson"


def complete(results, options):
    """Plans every phase that is in no plan, with the seed of the first one."""
    phases = results.unplanned(PHASES)
    if not phases:
        return
    chosen = random.randrange(10**6) if options.seed is None else options.seed
    seed = results.plan["seed"] if results.plan else chosen
    results.begin(plan.make(list(ARMS), phases, options.repetitions, seed))


def main(arguments):
    options = options_of(arguments)
    if options.report:
        results, longer = (plan.Results(file_of(seconds)) for seconds in KEPT)
        return report.write(ROOT / "docs" / "long-horizon.md", results, longer)
    cores = len(os.sched_getaffinity(0))
    if not 1 <= options.at_once <= cores:
        print(f"--at-once: there are {cores} cores, and a block keeps one busy for half of the time")
        return 2
    results = plan.Results(file_of(options.block_seconds))
    complete(results, options)
    blocks = results.missing(options.arm or ARMS, options.phase or PHASES)[:options.blocks]
    return attempt_at_once(results, blocks, options.block_seconds, options.at_once)
