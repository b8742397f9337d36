# SPDX-License-Identifier: Apache-2.0
"""The ledger: what the demo's processes say that they did, and whether it adds up.

Every process appends lines of JSON to a file of its own; a line that was written survives the
SIGKILL of its writer. The verdict reads only the ledger, so it can be tested with planted faults.

  intent    producer  key, kind, expect (completed | failed | refused), run_at or null
  accepted  producer  key, id
  refused   producer  key
  start     worker    key, id, attempt, worker
  end       worker    key, id, attempt, worker, outcome (completed | retry | error | stopped |
                                                         answered | too late)
  fired     worker    id, worker, fire: the time of the schedule that made this job
  terminal  observer  id, lease, state: a final state as it stood in the database
"""

import collections
import datetime
import json
import pathlib
import time

import jobs

LATE_FIRES = datetime.timedelta(seconds=20)  # a kill, a rescue and a back-off
EARLY_TOLERANCE = 0.002  # run_at has microseconds, the ledger floats
COMMITTED_WITHIN = 10.0  # seconds, by a worker that runs for a quarter of them


class Book:
    """One process's file of the ledger."""

    def __init__(self, folder, name):
        self._file = open(pathlib.Path(folder) / f"{name}.jsonl", "a", buffering=1, encoding="utf-8")

    def write(self, event, **facts):
        self._file.write(json.dumps({"event": event, "at": time.time(), **facts}) + "\n")


class Reader:
    """Reads what has been added to all files since the last call."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._read = collections.defaultdict(int)

    def news(self):
        lines = []
        # The producer last: whoever speaks of a job does so after its intent was written.
        for path in sorted(self._folder.glob("*.jsonl"), key=lambda path: (path.stem == "producer", path)):
            with open(path, "rb") as file:
                file.seek(self._read[path])
                text = file.read()
            whole = text.rfind(b"\n") + 1
            self._read[path] += whole
            lines += [json.loads(line) for line in text[:whole].splitlines()]
        return lines


class Job:
    def __init__(self, intent):
        self.key = intent["key"]
        self.kind = intent["kind"]
        self.expect = intent["expect"]
        self.run_at = intent.get("run_at")
        self.id = None
        self.answer = None
        self.starts = []
        self.ends = []
        self.terminals = {}  # run lease to state

    def is_settled(self):
        return self.answer == "refused" or bool(self.terminals)

    def was_rescued(self):
        """Started, never ended there, and started again; or claimed by a worker that could not even write so."""
        ended = {(end["attempt"], end["worker"]) for end in self.ends}
        unseen = max((start["attempt"] for start in self.starts), default=0) > len(self.starts)
        return unseen or any((start["attempt"], start["worker"]) not in ended for start in self.starts[:-1])

    def faults(self):
        if self.expect == "refused" or self.answer != "accepted":
            wanted = "refused" if self.expect == "refused" else "accepted"
            if self.answer != wanted:
                yield f"was {self.answer or 'never answered'}, expected {wanted}"
            if self.answer != "accepted":
                if self.starts:
                    yield "ran although it was not accepted"
                return
        states = sorted(self.terminals.values())
        completions = [end for end in self.ends if end["outcome"] == "completed"]
        if not states:
            yield f"lost: no final state after {len(self.starts)} starts"
        elif len(states) > 1:
            yield f"finished {len(states)} times: {', '.join(states)}"
        elif states[0] != self.expect and not (self.expect == "failed" and self.was_rescued()):
            # A rescue does not count attempts: who lost his only one to a kill may still complete.
            yield f"is {states[0]}, expected {self.expect}"
        if len(completions) > 1:
            yield f"ran to completion {len(completions)} times"
        may_complete = any(end["outcome"] in ("answered", "gave up") for end in self.ends)
        if states == ["completed"] and not completions and not may_complete:
            yield "is completed and never ran to completion"
        early = [s for s in self.starts if self.run_at and s["at"] < self.run_at - EARLY_TOLERANCE]
        if early:
            yield f"ran {self.run_at - early[0]['at']:.3f} s before its time"


class Ledger:
    def __init__(self):
        self.jobs = {}
        self.by_id = {}
        self.strangers = []
        self.fires = []

    def add(self, line):
        event = line["event"]
        if event == "intent":
            self.jobs[line["key"]] = Job(line)
            return
        if event == "fired" or line.get("id") in {fire["id"] for fire in self.fires}:
            self.fires += [line] if event == "fired" else []
            return
        job = self.by_id.get(line["id"]) if event == "terminal" else self.jobs.get(line["key"])
        if job is None:
            self.strangers.append(line)
        elif event in ("accepted", "refused"):
            job.answer = event
            if event == "accepted":
                job.id = line["id"]
                self.by_id[job.id] = job
        elif event == "terminal":
            job.terminals[line["lease"]] = line["state"]
        else:
            {"start": job.starts, "end": job.ends}[event].append(line)

    def add_all(self, lines):
        """A worker may be quicker than the producer's own line: intents first, answers second."""
        order = {"intent": 0, "accepted": 1, "refused": 1}
        for line in sorted(lines, key=lambda line: (order.get(line["event"], 2), line["at"])):
            self.add(line)

    def just_completed_by(self, worker):
        """Ids of jobs whose commit may still be under way. An older one may be gone from the ring, unseen."""
        since = time.time() - COMMITTED_WITHIN
        ends = [end for job in self.jobs.values() for end in job.ends if end["outcome"] == "completed"]
        return [line["id"] for line in [*ends, *self.fires] if line["worker"] == worker and line["at"] > since]

    def unsettled(self):
        return [job for job in self.jobs.values() if not job.is_settled()]

    def missed_fires(self):
        """A fire is one job that ran once; the last ones may still be under way."""
        times = sorted(datetime.datetime.fromisoformat(fire["fire"]) for fire in self.fires)
        for earlier, later in zip(times, times[1:]):
            gap = (later - earlier).total_seconds()
            if gap == 0:
                yield f"the fire of {later} ran twice"
            elif gap > jobs.TICKS_EVERY and times[-1] - later > LATE_FIRES:
                yield f"no fire between {earlier} and {later}"

    def faults(self):
        found = [f"{job.kind} {job.key} {fault}" for job in self.jobs.values() for fault in job.faults()]
        found += list(self.missed_fires())
        return found + [f"unknown to the producer: {line}" for line in self.strangers]

    def counts(self):
        counted = collections.Counter(job.kind for job in self.jobs.values())
        counted["accepted"] = sum(job.answer == "accepted" for job in self.jobs.values())
        counted["settled"] = sum(bool(job.terminals) for job in self.jobs.values())
        counted["rescued"] = sum(job.was_rescued() for job in self.jobs.values())
        return counted
