# SPDX-License-Identifier: Apache-2.0
"""Which blocks there are, in which order, and which of them have been measured: the file of results
begins with the plan and has a line for each block. A phase that came later has a plan of its own, behind
what is there, so that no earlier block changes its place."""

import fcntl
import json
import random

KIND = "kind"


def make(arms, phases, repetitions, seed):
    """Round by round, so that a run that is cut short has some of everything."""
    chance = random.Random(seed)
    order = []
    for repetition in range(1, repetitions + 1):
        blocks = [[arm, phase, repetition] for arm in arms for phase in phases]
        chance.shuffle(blocks)
        order += blocks
    return {KIND: "plan", "seed": seed, "order": order}


class Results:
    def __init__(self, path):
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        records = [json.loads(line) for line in lines]
        self.plan = None
        for record in records:
            if record[KIND] == "plan":
                self._join(record)
        self.blocks = [record for record in records if record[KIND] == "block"]
        self.failures = sum(record[KIND] == "failed" for record in records)

    def begin(self, plan):
        """Of a file with a plan: what is planned there goes first."""
        self._join(plan)
        self._append(plan)

    def unplanned(self, phases):
        """Those of which the plan has no block."""
        planned = {phase for _, phase, _ in self.plan["order"]} if self.plan else set()
        return [phase for phase in phases if phase not in planned]

    def _join(self, plan):
        self.plan = {**plan, "order": self.plan["order"] + plan["order"]} if self.plan else plan

    def add(self, block):
        self.blocks.append({KIND: "block", **block})
        self._append(self.blocks[-1])

    def failed(self, name, why):
        """Which block came to no end, so that nobody has to wonder what is left out; it stays missing."""
        self._append({KIND: "failed", "block": name, "why": why})

    def missing(self, arms, phases):
        """In the order of the plan, of these arms and phases."""
        done = {(block["arm"], block["phase"], block["repetition"]) for block in self.blocks}
        return [tuple(each) for each in self.plan["order"]
                if tuple(each) not in done and each[0] in arms and each[1] in phases]

    def _append(self, record):
        """A line at a time, also when several blocks end at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
