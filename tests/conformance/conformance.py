#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One database, copied: Awa's own leader keeps some of the copies, Lockkeeper another, and then
every table is compared row by row. Run by `./dev test conformance`.

Three things must hold. Awa beside Awa gives no difference, or the comparison is worth nothing.
Faults that are planted in a copy are seen, each of them. And Lockkeeper differs only as
differences.py says, a row for each defect of the reference that it mends.
"""

import argparse
import functools
import pathlib
import random
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / ".dev" / "stage"), str(HERE.parent / "benchmarks")]

import faults  # noqa: E402
import filling  # noqa: E402
import histories  # noqa: E402
from cluster import Cluster  # noqa: E402
from comparison import Comparison  # noqa: E402
from differences import DIFFERENCES  # noqa: E402
from ending import raise_on_signals  # noqa: E402
from leaders import awa, led, lockkeeper  # noqa: E402
from scene import AWA, SETTINGS  # noqa: E402
from world import World  # noqa: E402

ALWAYS = ("D11", "D15")  # of the differences: the fixed filling shows them
SEED = 2  # of the histories that every run of the tests has; one of them has a storage without receipts
# The roads of these; of those that end in the canonical plane one is enough.
SHORT = ("active", "canonical", "mixed_transition", "aborted", "finalized")


def report(title, sentences):
    print(f"{title}: {len(sentences)} differences", flush=True)
    for sentence in sentences[:25]:
        print(f"  {sentence[:600]}", flush=True)
    return len(sentences)


def compare(results, wanted):
    """How many differences there are that should not be, or that should be and are not."""
    reference, other, ours = results
    print("rows: " + ", ".join(f"{view} {len(rows)}" for view, rows in reference.items()), flush=True)
    against = Comparison(reference, ours, DIFFERENCES)
    print("expected: " + (", ".join(sorted(against.seen)) or "nothing"), flush=True)
    return (report("Awa beside Awa", Comparison(reference, other).sentences)
            + report("Lockkeeper beside Awa", against.sentences)
            + report("listed and makes no difference", sorted(set(wanted) - against.seen)))


def unseen(settled, result, road, is_fixed):
    """Looked for as in Lockkeeper's result, with the same differences allowed."""
    compare = functools.partial(Comparison, known=DIFFERENCES)
    planted = faults.PLANTED[road] | (faults.PLANTED_IN_FILLING if is_fixed else {})
    in_result = faults.PLANTED_IN_NOTICES + (faults.PLANTED_IN_NUMBERS if is_fixed else ())
    print(f"planted faults: {len(planted) + len(in_result)}", flush=True)
    return faults.unseen(settled, planted, compare) + faults.unseen_in(result, in_result, compare)


def conforms(seed, road, is_fixed):
    """Whether a random history comes out the same; on top of the fixed filling if that is wanted."""
    cluster = Cluster("conformance", SETTINGS + "fsync = off\njit = off\n")
    began = time.monotonic()
    try:
        cluster.start()
        cluster.make_database(AWA, has_storage=False)
        with World(cluster, random.Random(seed)) as world:
            histories.live(world, road, (filling.fill,) if is_fixed else ())
        receipts = "" if world.has_receipts else " without receipts"
        print(f"filled after {time.monotonic() - began:.0f} s: queue storage in {world.schema}{receipts}", flush=True)
        with led(cluster, world, (awa, awa, lockkeeper)) as (copies, rounds):
            bad = sum(compare(results, ALWAYS if is_fixed else ()) for results in rounds)
            bad += report("faults that were not seen", unseen(copies[1], rounds[0][1], road, is_fixed))
    finally:
        cluster.remove()
    print(f"done after {time.monotonic() - began:.0f} s", flush=True)
    return not bad


def is_equal(seed, road, is_fixed):
    """A leader that is never done is a difference like any other: the next history runs all the same."""
    road = road or random.Random(seed).choice(sorted(histories.ROADS))
    print(f"history {seed}, {road}", flush=True)
    try:
        return conforms(seed, road, is_fixed)
    except RuntimeError as error:
        print(error, flush=True)
        return False


def options_of(words):
    parser = argparse.ArgumentParser(description="Awa's leader and Lockkeeper on copies of one database")
    parser.add_argument("--histories", type=int, default=0,
                        help="how many random histories; with none the fixed filling and short ones of most other roads")
    parser.add_argument("--seed", type=int, help="of the first history; the next ones count on")
    parser.add_argument("--road", choices=sorted(histories.ROADS), help="the way that the storage has come; otherwise any")
    return parser.parse_args(words)


def main():
    raise_on_signals()
    options = options_of(sys.argv[1:])
    if not options.histories:
        seed = SEED if options.seed is None else options.seed
        return 0 if all([is_equal(seed, road, road == "active") for road in SHORT]) else 1
    first = random.randrange(1_000_000) if options.seed is None else options.seed
    failed = [seed for seed in range(first, first + options.histories) if not is_equal(seed, options.road, False)]
    for seed in failed:
        print(f"failed; again: ./dev conformance --histories 1 --seed {seed}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
