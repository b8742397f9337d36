# SPDX-License-Identifier: Apache-2.0
"""The blocks as people read them: a line each in the terminal, and the tables of docs/long-horizon.md,
each cell the median over an arm's blocks of a phase with the least and the most of them.

What stands outside the marks of that page is written by hand and stays.
"""

import collections
import statistics

import page
from figure import number
from long.arms import ARMS
from long.duties import DUTIES
from long.phases import PHASES
from long.ticks import BOUNDS

LANES = {lane: [duty.branch for duty in DUTIES if duty.lane == lane] for lane in ("slo", "hygiene")}
WORDS = {"slo": "SLO", "hygiene": "hygiene"}
RESCUES = [branch for branch in LANES["slo"] if branch.startswith("rescue_")]


def summed(block, branches, key):
    return sum(block["branches"][branch][key] for branch in branches)


def share(key, branches):
    def of(block):
        due = summed(block, branches, "due")
        return 100 * summed(block, branches, key) / due if due else None
    return of


def at_most(wanted, lane):
    """The bound, in milliseconds, that so large a share of the lane's due times stays below."""
    def of(block):
        counts = [sum(each) for each in zip(*(block["branches"][branch]["histogram"] for branch in LANES[lane]))]
        so_far = 0
        for count, bound in zip(counts, (*BOUNDS, float("inf"))):
            so_far += count
            if so_far and so_far >= wanted * sum(counts):
                return bound * 1000
        return None
    return of


def latest(lane):
    def of(block):
        known = [block["branches"][branch]["max_ms"] for branch in LANES[lane]]
        return max((each for each in known if each is not None), default=None)
    return of


def growth(block):
    """Of a single leader's memory from the first third of the block to the last."""
    samples = block["memory_mb"]
    third = len(samples) // 3
    if not third or block["terms"] > 1:
        return None
    return statistics.median(samples[-third:]) - statistics.median(samples[:third])


def violations(block):
    found = sum(len(block[key]) for key in ("broken", "audit_faults", "missed_mutants"))
    return found + block["fence_errors"] + (not block["fence_is_shut"])


def below(*path):
    def of(block):
        for key in path:
            block = block[key]
        return block
    return of


FIGURES = [
    *((f"{WORDS[lane]}: {what}", unit, make(lane)) for lane in LANES for what, unit, make in (
        ("due times answered more than 100 ms late", "%", lambda lane: share("late", LANES[lane])),
        ("due times that never ran", "%", lambda lane: share("never_ran", LANES[lane])),
        ("lateness, p50, at most", "ms", lambda lane: at_most(0.5, lane)),
        ("lateness, p99, at most", "ms", lambda lane: at_most(0.99, lane)),
        ("lateness, max", "ms", latest))),
    ("of the SLO lane, rescues: due times answered more than 100 ms late", "%", share("late", RESCUES)),
    ("overrun episodes, as the leader counts them", "", below("overruns")),
    ("hygiene turns taken back", "", lambda block: block.get("taken_back")),
    ("rings turned", "", below("turns")),
    ("left at the end: due jobs", "", below("left", "due_jobs")),
    ("left at the end: stale claims", "", below("left", "stale_claims")),
    ("left at the end: expired dead letters", "", below("left", "expired_dead_letters")),
    ("left at the end: terminal rows", "", below("left", "terminal_rows")),
    ("left at the end: slots of the queue ring with rows", "", below("left", "full_queue_slots")),
    ("left at the end: slots of the claim ring with rows", "", below("left", "full_claim_slots")),
    ("left at the end: changes of counts", "", below("left", "count_deltas")),
    ("left at the end: dead rows", "", below("left", "dead_tuples")),
    ("database at the end", "MB", below("left", "megabytes")),
    ("jobs of anybody that had not ended two minutes after the load", "", below("unfinished")),
    ("jobs completed", "", below("completed")),
    ("a worker's claim, p99", "ms", below("claims", "p99_ms")),
    ("scheduled job due → started by a worker, p99", "ms", below("pickups", "p99_ms")),
    ("leader's memory", "MB", below("memory_median_mb")),
    ("leader's memory, last third less first", "MB", growth),
    ("time in which the cores worked", "%", below("busy_percent")),
    ("a process that only sleeps wakes up late, max", "ms", lambda block: block.get("woken_late_ms")),
    ("violations", "", violations),
]


def cell(values, unit):
    known = [value for value in values if value is not None]
    if not known:
        return ""
    middle = f"{number(statistics.median_high(known))} {unit}".strip()
    return middle if min(known) == max(known) else f"{middle} ({number(min(known))} to {number(max(known))})"


def table(blocks):
    """Of the blocks of one phase."""
    by_arm = {arm: [block for block in blocks if block["arm"] == arm] for arm in ARMS}
    headings = ["figure", *(f"{ARMS[arm].says}, {len(found)} {'block' if len(found) == 1 else 'blocks'}"
                            for arm, found in by_arm.items())]
    rows = [[what, *(cell([of(block) for block in found], unit) for found in by_arm.values())]
            for what, unit, of in FIGURES]
    return {"headings": headings, "rows": rows}


def line(block):
    """What one sees while the blocks run."""
    slo, hygiene = (share("late", branches)(block) for branches in LANES.values())
    return (f"late: slo {number(slo)} %, hygiene {number(hygiene)} %; slo max {number(latest('slo')(block))} ms; "
            f"overruns {block['overruns']}; completed {block['completed']}, unfinished {block['unfinished']}; "
            f"violations {violations(block)}"
            + "".join(f"\n    {fault}" for fault in [*block["broken"], *block["audit_faults"][:5]]))


def write(path, results, longer):
    """Puts the tables into the page, with one of blocks of half an hour; an exit code."""
    if not results.blocks:
        print("not written: no blocks")
        return 1
    text = path.read_text(encoding="utf-8")
    for name, phase in PHASES.items():
        said = f"{phase.says[0].upper()}{phase.says[1:]}.\n\n"
        text = page.replace(text, name, measured(results, name, said))
    text = page.replace(text, "half_hour", measured(longer, "clean"))
    text = page.replace(text, "machine", page.markdown_machine(results.blocks[-1]["machine"]))
    so_many = f"{len(results.blocks)} of {len(results.plan['order'])} blocks"
    text = page.replace(text, "blocks", f"{so_many} of the plan of seed {results.plan['seed']}, {together(results.blocks)}; "
                        f"load average before a block {load(results.blocks)}. {results.failures} came to no end.")
    text = page.replace(text, "program", f"Program of the blocks: {programs(results.blocks)}.\n"
                        f"Program of those of half an hour: {programs(longer.blocks) or 'not measured'}.")
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(results.blocks)} blocks written")
    return 0


def measured(results, phase, said=""):
    blocks = [block for block in results.blocks if block["phase"] == phase]
    return said + page.markdown_table(table(blocks)) if blocks else "Not measured."


def together(blocks):
    most = max(block["at_once"] for block in blocks)
    if most == 1:
        return "each alone on the machine"
    return f"{most} of them at a time, each with a server of its own, on the same cores"


def programs(blocks):
    """Of each arm, how many blocks are of which commit."""
    found = []
    for arm in ARMS.values():
        commits = [block.get("commit") for block in blocks if block["arm"] == arm.name]
        counts = collections.Counter(f"of {commit}" if commit else "not noted" for commit in commits)
        if counts:
            found.append(f"{arm.says}: " + ", ".join(f"{count} {commit}" for commit, count in sorted(counts.items(), reverse=True)))
    return "; ".join(found)


def load(blocks):
    return cell([block["machine"]["load_before"] for block in blocks], "")
