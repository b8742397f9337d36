# SPDX-License-Identifier: Apache-2.0
"""Where Lockkeeper's result differs from that of Awa's own leader on purpose, a row each: the
defect of the reference or the other difference as docs/awa-parity.md lists it, the view of tables.py, what the reference
has there and Lockkeeper has not, or the other way round."""

import dataclasses
import typing

# Places in a job's mask of states: those of the views in which a rescued job stands, and that of its end.
LIVES_AS = {"available": 1, "deferred_jobs": 4}
CANCELLED = 6


@dataclasses.dataclass
class Difference:
    reason: str
    view: str
    is_in_reference: bool  # otherwise in Lockkeeper's result
    explains: typing.Callable[[dict, dict, dict], bool]  # a row, the reference, Lockkeeper's result


def lives_on(row, reference, _ours=None):
    """A job that is cancelled as a duplicate of itself: it is also retried."""
    alive = {other["job_id"] for view in LIVES_AS for other in reference[view]}
    return row["state"] == "cancelled" and row["job_id"] in alive


def counts_duplicates(row, reference, ours):
    """The same count of ended jobs, but for those duplicates."""
    lane = {"queue": row["queue"], "priority": row["priority"]}
    count = sum(lives_on(each, reference) for each in reference["done_entries"] if lane.items() <= each.items())
    if row in reference["ended"]:
        rest = {**row, "others": row["others"] - count}
        return count > 0 and (rest in ours["ended"] or rest["failed"] == rest["others"] == 0)
    return count > 0 and {**row, "others": row["others"] + count} in reference["ended"]


def keeps_its_key(row, reference, _ours):
    """The unique key of a job that is cancelled as a duplicate of itself: it goes with the cancelled one."""
    return any(lives_on(each, reference) and each["job_id"] == row["job_id"] for each in reference["done_entries"])


def claims_when_cancelled(row, reference, _ours):
    """The same, where the mask wants the key for a cancelled job and not for one in the state in which it lives on."""
    masks = [(each["unique_states"], place) for view, place in LIVES_AS.items() for each in reference[view]
             if each["job_id"] == row["job_id"] and each["unique_states"]]
    return keeps_its_key(row, reference, _ours) and any(mask[CANCELLED] + mask[place] == "10" for mask, place in masks)


def was_preempted(row, reference, ours):
    """Lane numbers that went with a transaction of a batch operation when the SLO lane needed the connection."""
    theirs = [{**lane, "given": None} for lane in reference["lanes"] if lane["given"] <= row["given"]]
    here = [{**lane, "given": None} for lane in ours["lanes"] if lane["given"] >= row["given"]]
    same = {**row, "given": None}
    return row["queue"].startswith("ops") and same in theirs and same in here


def passes_entombed(row, reference, ours):
    """The cursor of a lane from which a batch operation has moved jobs: further than with Awa, and no further than the
    lane's numbers."""
    def lane(each):
        return {**each, "given": None, "taken": None}

    pairs = [(theirs, here) for theirs in reference["lanes"] for here in ours["lanes"]
             if row in (theirs, here) and lane(theirs) == lane(here)]
    return row["queue"].startswith("ops") and any(
        theirs["taken"] < here["taken"] <= here["given"] and theirs["given"] <= here["given"] for theirs, here in pairs)


RESCUED = ("worker presumed dead", "hard deadline exceeded", "rescued as duplicate")


def was_rescued(row):
    """As the errors say that stand in either plane's form of a job."""
    payload = row.get("payload")
    errors = row.get("errors") or (payload.get("errors") if isinstance(payload, dict) else None) or []
    return any(word in str(each) for each in errors for word in RESCUED)


def tells_the_worker(row, _reference, ours):
    """A message to the worker whose attempt has been rescued, where only one plane can have meant it."""
    if row["channel"] != "awa:cancel" or ours["storage"][0]["state"] == "mixed_transition":
        return False
    return any(row["payload"] == {"job_id": each[name], "run_lease": each["run_lease"]} and was_rescued(each)
               for name, views in (("job_id", ("deferred_jobs", "available", "done_entries", "dead_letters")),
                                   ("id", ("jobs_hot", "scheduled_jobs")))
               for view in views for each in ours[view])


def wakes_for_cron(row, _reference, ours):
    """A message to the workers of a canonical queue in which a schedule has fired."""
    return any(row["channel"] == f"awa:{each['queue']}" and "cron_name" in each["metadata"] for each in ours["jobs_hot"])


def has_never_turned(row, reference, _ours):
    """A leader that has decided for the canonical plane leaves the rings alone, also once they are used."""
    in_reference = [each for each in reference["rings"] if each["ring"] == row["ring"]]
    return reference["storage"][0]["state"] == "mixed_transition" and not in_reference[0]["has_turned"]


DIFFERENCES = (
    Difference("D11", "done_entries", True, lives_on),
    Difference("D11", "ended", True, counts_duplicates),
    Difference("D11", "ended", False, counts_duplicates),
    Difference("D11", "unique_claims", True, claims_when_cancelled),
    Difference("D11", "unique_claims", False, keeps_its_key),
    Difference("batch operations: lane numbers", "lanes", True, was_preempted),
    Difference("batch operations: lane numbers", "lanes", False, was_preempted),
    Difference("batch operations: cursors of emptied lanes", "lanes", True, passes_entombed),
    Difference("batch operations: cursors of emptied lanes", "lanes", False, passes_entombed),
    Difference("H12", "rings", True, has_never_turned),
    Difference("H12", "rings", False, has_never_turned),
    Difference("D15", "notices", False, tells_the_worker),
    Difference("cron: workers of a canonical queue", "notices", False, wakes_for_cron),
)
