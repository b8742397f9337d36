# SPDX-License-Identifier: Apache-2.0
"""The branches that the loops of both leaders have, how often each is due, and by which statement a
server's log shows that a pass of it looks for work. Cron is not among them: in Awa it has a task of
its own."""

import dataclasses
import re

RESCUE_EVERY = 10.0  # seconds; three times as often as by default, so that a block has sixty of them
STALENESS = 20.0


@dataclasses.dataclass(frozen=True)
class Duty:
    branch: str
    lane: str
    every: float  # seconds
    ours: str  # the name of the statement's file
    awa: str  # a regular expression over its text, blanks made one

    def is_begun_by(self, arm_is_awa, text):
        if not arm_is_awa:
            return text.startswith(f"-- {self.ours}:")
        return re.search(self.awa, text) is not None


DUTIES = (
    Duty("promote_scheduled", "slo", 0.25, "promotion/next_due", r"^DELETE FROM awa\.deferred_jobs .* run_at <= "),
    Duty("rescue_stale_heartbeats", "slo", RESCUE_EVERY, "rescue/has_stale",
         r"^DELETE FROM awa\.leases .*awa\.attempt_state"),
    Duty("rescue_expired_deadlines", "slo", RESCUE_EVERY, "rescue/has_expired",
         r"^DELETE FROM awa\.leases .* deadline_at < "),
    Duty("rescue_expired_callbacks", "slo", RESCUE_EVERY, "rescue/has_timed_out",
         r"^DELETE FROM awa\.leases .* callback_timeout_at < "),
    Duty("rotate_queue", "hygiene", 1.0, "rings/queue_look", r" slot_count FROM awa\.queue_ring_state .* FOR UPDATE$"),
    Duty("rotate_lease", "hygiene", 1.0, "rings/lease_look", r" slot_count FROM awa\.lease_ring_state .* FOR UPDATE$"),
    Duty("rotate_claim", "hygiene", 1.0, "rings/claim_look", r" slot_count FROM awa\.claim_ring_state .* FOR UPDATE$"),
    Duty("cleanup", "hygiene", 60.0, "cleanup/find_dead_letters", r"^DELETE FROM awa\.dlq_entries "),
    Duty("batch_operations", "hygiene", 1.0, "operations/look", r" FROM awa\.batch_operations .*'scanning'"),
    Duty("queue_stats", "hygiene", 30.0, "queue_stats/lanes", r"awa\.queue_enqueue_heads AS enqueues"),
    Duty("terminal_count_rollup", "hygiene", 30.0, "terminal_count_rollup/candidates",
         r"^SELECT current_slot FROM awa\.queue_ring_state WHERE singleton = TRUE$"),
)

# Due often, and by the interval alone: their starts show where the schedule of a leader lies.
STEADY = ("rotate_queue", "rotate_lease", "rotate_claim", "batch_operations")

# Lockkeeper's defaults but for the rescues.
OUR_TABLES = f"""
[branches.rescue_stale_heartbeats]
every = "{RESCUE_EVERY:g}s"
staleness = "{STALENESS:g}s"

[branches.rescue_expired_deadlines]
every = "{RESCUE_EVERY:g}s"

[branches.rescue_expired_callbacks]
every = "{RESCUE_EVERY:g}s"
"""

# The same for Awa: by default a worker in Python turns its lease ring four times as often.
AWA_OPTIONS = {
    "promote_interval_ms": 250,
    "heartbeat_rescue_interval_ms": int(RESCUE_EVERY * 1000),
    "heartbeat_staleness_ms": int(STALENESS * 1000),
    "deadline_rescue_interval_ms": int(RESCUE_EVERY * 1000),
    "callback_rescue_interval_ms": int(RESCUE_EVERY * 1000),
    "queue_storage_queue_rotate_interval_ms": 1000,
    "queue_storage_lease_rotate_interval_ms": 1000,
    "queue_storage_claim_rotate_interval_ms": 1000,
}
