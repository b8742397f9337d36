# SPDX-License-Identifier: Apache-2.0
"""Faults of the hygiene branch batch_operations, for mutants.py."""

SQL = "lib/awa/sql/operations/"
BRANCH = "lib/branches/operations/"

CLAIMED = """AND NOT EXISTS (SELECT FROM :"schema".:"ready_claim_attempt_batches_k" b
          WHERE b.ready_generation = s.ready_generation AND b.queue = s.queue
            AND b.priority = s.priority AND b.enqueue_shard = s.enqueue_shard
            AND b.next_lane_seq > s.lane_seq AND b.lane_ranges @> s.lane_seq OFFSET 0)"""

# defect, file, what stands there, what the fault makes of it, what is wrong then, who must notice
MUTANTS = [
    ("H16", BRANCH + "changing.cpp", "operation_.has_entombed || operation_.is_taken_up", "operation_.has_entombed",
     "what a leader has entombed that died is never passed", "a leader that dies before*"),
    ("H16", BRANCH + "changing.cpp", "if (operation_.has_entombed || operation_.is_taken_up) {", "if (false) {",
     "workers pass what is entombed by themselves, and nothing behind a gap", "a lane that is emptied*"),
    ("H16", SQL + "pass_entombed.sql", "AND NOT EXISTS (SELECT FROM :\"schema\".ready_tombstones t", "AND EXISTS ("
     "SELECT FROM :\"schema\".ready_tombstones t", "jobs that wait are passed over", "a job that is not moved*"),
    ("H6", BRANCH + "batch_operations.cpp", "if (++operation.failures < most) co_return false;", "if (most > 0) co_return false;",
     "an operation fails for ever", "an operation that the database refuses*"),
    ("H6", BRANCH + "batch_operations.cpp",
     "operation.passed_over_until = time::SteadyClock().now() + kPassedOver; passed_over_.push_back(id); co_return true;",
     "co_return false;",
     "one that fails keeps the next one from running", "an operation that the database refuses*"),
    ("H6", BRANCH + "carrying.cpp", "if (!asked.is_null(0, 2)) {", "if (false) {",
     "an unusable spec is used", "an operation that cannot be carried out*"),
    ("–", SQL + "entomb.sql", CLAIMED, "", "a job that was claimed a moment ago is moved", "a job that a worker has claimed*"),
    ("–", SQL + "entomb.sql", "WHERE l.job_id = s.job_id AND", "WHERE false AND", "a job with a lease is moved", "where claims leave no receipts*"),
    ("–", SQL + "lock_lanes.sql", "FOR UPDATE SKIP LOCKED", "", "a lane is moved out of under a worker", "jobs in somebody's hands*"),
    ("–", SQL + "lock_lanes.sql", "FOR UPDATE SKIP LOCKED", "FOR UPDATE", "a worker's lane is waited for", "jobs in somebody's hands*"),
    ("–", SQL + "change_available.sql", "FOR UPDATE OF j SKIP LOCKED", "FOR UPDATE OF j",
     "a locked job is waited for", "jobs in somebody's hands*"),
    ("–", BRANCH + "changing.cpp", "if (operation_.left == 0 ||", "if (operation_.left >= 0 ||",
     "a locked job is skipped at once", "jobs in somebody's hands*"),
    ("–", BRANCH + "changing.cpp", "search.failed(attempt.refusal->state());", "throw *attempt.refusal;",
     "one bad job fails the operation", "a job that cannot be changed*"),
    ("–", BRANCH + "carrying.cpp", '} else if (state_ == "cancelling") {', '} else if (state_ == "never") {',
     "a cancel is not heard", "a cancelled operation*"),
    ("–", BRANCH + "carrying.cpp", '} else if (state_ == "cancelling") {',
     '} else if (state_ == "cancelling" && operation_.phase == Operation::Phase::naming) { } else if (state_ == "cancelling") {',
     "a cancel is heard when all jobs are named", "an operation that is cancelled in its scan*"),
    ("–", BRANCH + "carrying.cpp", "if (!rows.boolean(0, 0)) {", "if (false) {",
     "two leaders work at the same", "a leader that works*"),
    ("–", SQL + "hold.sql", "pg_try_advisory_xact_lock(", "pg_try_advisory_lock(", "the lock leaks", "a leader that works*"),
    ("–", SQL + "examine.sql", "WHEN o.cursor ->> 'plane' <> $2::text", "WHEN $2::text IS NULL",
     "ids of one storage are looked for in the other", "jobs that were named in one storage*"),
    ("–", BRANCH + "carrying.cpp", "if (operation_.schema != schema) operation_.phase = Operation::Phase::unknown;", "",
     "a walk goes on in the other storage", "jobs that were named in one storage*"),
    ("–", SQL + "requeue.sql", "l.first + a.place - 1", "l.first + l.jobs - a.place", "jobs are turned round", "move_queue brings*"),
    ("–", SQL + "requeue.sql", "|| m.metadata", "|| '{}'", "metadata is lost", "set_priority gives*"),
    ("–", SQL + "requeue.sql", "pg_notify(n.name, '')", "octet_length(n.name)", "nobody is woken", "move_queue brings*"),
    ("–", SQL + "change_available.sql", "pg_notify(c.name, '')", "octet_length(c.name)", "nobody is woken", "the canonical plane's jobs*"),
    ("–", SQL + "change_deferred.sql", "|| m.metadata", "|| '{}'", "metadata is lost", "set_priority gives*"),
    ("–", SQL + "name_ready.sql", "SELECT FROM :\"schema\".:\"ready_tombstones_k\" t WHERE", "SELECT FROM :\"schema\".:\"ready_tombstones_k\" t WHERE 1 = 0 AND",
     "jobs that have been moved are named", "what was moved out of the middle*"),
    ("–", SQL + "add_items.sql", "+ n.jobs", "+ cardinality($2::bigint[])", "a total counts jobs twice",
     "an operation goes on where it was*"),
    ("–", BRANCH + "carrying.hpp", "kOperationWindow = 1000;", "kOperationWindow = 20000;",
     "a reply is too large", "many jobs are changed*"),
    ("–", SQL + "requeue.sql", "m.attempt, m.run_lease,", "m.attempt, 0,",
     "a job that is moved counts its attempts anew", "a job that is moved keeps*"),
    ("I9", SQL + "requeue.sql", "min(n.place), max(n.place) + 1,", "min(n.place), max(n.place),",
     "the last job that is moved stands in no segment", "whichever branch runs*"),
]
