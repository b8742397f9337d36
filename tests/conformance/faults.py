# SPDX-License-Identifier: Apache-2.0
"""Faults that are planted in a result, to see that the comparison notices each of them."""

import copy


def first(rows, **wanted):
    return next(row for row in rows if all(row.get(name) == value for name, value in wanted.items()))


def rescued(result):
    return next(row for row in result["deferred_jobs"] if row["state"] == "retryable" and row["finalized_at"] == "now")


def drop_job(result):
    result["deferred_jobs"].remove(rescued(result))


def double_job(result):
    result["available"].append(dict(result["available"][0]))


def wrong_priority(result):
    rescued(result)["priority"] += 1


def wrong_attempt(result):
    rescued(result)["attempt"] += 1


def no_back_off(result):
    rescued(result)["run_at"] = "2020-01-01T00:00:00+00:00"


def no_error_entry(result):
    rescued(result)["payload"]["errors"].pop()


def lost_progress(result):
    row = next(row for row in result["deferred_jobs"] if (row["payload"] or {}).get("progress"))
    del row["payload"]["progress"]


def open_receipt(result):
    result["open_receipts"].append(dict(result["open_receipts"][0], job_id=rescued(result)["job_id"]))


def closed_twice(result):
    result["closed_twice"].append({"job_id": 1, "run_lease": 1, "closures": 2})


def missing_count(result):
    result["miscounted"].append({"queue": "rows", "priority": 1, "jobs": -1})


def orphan_state(result):
    result["attempt_state"].append(dict(result["attempt_state"][0], job_id=rescued(result)["job_id"]))


def lost_claim(result):
    result["unique_claims"].pop()


def promoted_paused(result):
    row = first(result["deferred_jobs"], queue="held")
    result["deferred_jobs"].remove(row)


def canonical_kept(result):
    row = result["scheduled_jobs"].pop()
    result["jobs_hot"].append(row)


def kept_too_long(result):
    result["dead_letters"].append(dict(result["dead_letters"][0], job_id=-1))


def deleted_too_soon(result):
    result["runtime_instances"].pop()


def fired_again(result):
    result["available"].append(dict(first(result["available"], queue="ticks")))


def not_marked(result):
    first(result["cron_jobs"], name="newest")["last_enqueued_at"] = None


def fired_though_paused(result):
    first(result["cron_jobs"], name="paused")["last_enqueued_at"] = "now"


def missing_ready_row(result):
    result["available"].pop(0)


def wrong_finalized_at(result):
    rescued(result)["finalized_at"] = None


def wrong_reason(result):
    result["dead_letters"][0]["dlq_reason"] = "another"


def wrong_key(result):
    result["unique_claims"][0]["job_id"] = -1


def resumed(result):
    first(result["queue_meta"], queue="held")["paused"] = False


def wrong_most_attempts(result):
    rescued(result)["max_attempts"] += 1


def canonical_lost(result):
    result["jobs_hot"].pop()


def wrong_queue(result):
    result["available"][0]["queue"] = "another"


def descriptor_kept(result):
    result["queue_descriptors"].append({"queue": "q31"})


PLANTED = (missing_ready_row, wrong_finalized_at, wrong_reason, wrong_key, resumed, wrong_most_attempts, canonical_lost,
           wrong_queue, descriptor_kept, kept_too_long, deleted_too_soon, fired_again, not_marked, fired_though_paused,
           drop_job, double_job, wrong_priority, wrong_attempt, no_back_off, no_error_entry, lost_progress, open_receipt,
           closed_twice, missing_count, orphan_state, lost_claim, promoted_paused, canonical_kept)


def unseen(reference, compare):
    """The planted faults that the comparison does not see."""
    found = []
    for plant in PLANTED:
        result = copy.deepcopy(reference)
        plant(result)
        if not compare(reference, result).sentences:
            found.append(plant.__name__)
    return found
