# SPDX-License-Identifier: Apache-2.0
"""The demo's judgement of Lockkeeper."""


MOVERS = ("promote_scheduled", "rescue_stale_heartbeats", "rescue_expired_deadlines", "rescue_expired_callbacks",
          "cron_eval")


def faults(metrics, led):
    """What the daemon did not do."""
    if not led:
        yield "Lockkeeper never led"
    for branch in MOVERS:
        if metrics.total("lockkeeper_branch_rows_total", branch=branch) == 0:
            yield f"{branch} moved no row"
    for ring in ("queue", "lease", "claim"):
        if metrics.total("awa_maintenance_rotate_attempts_total", awa_ring=ring, awa_ring_outcome="rotated") == 0:
            yield f"the {ring} ring never turned"
        # Leases are deleted one by one; their slots are truncated only once they have grown large.
        wanted = {"awa_ring_outcome": "pruned"} if ring != "lease" else {}
        if metrics.total("awa_maintenance_prune_attempts_total", awa_ring=ring, **wanted) == 0:
            yield f"no slot of the {ring} ring was pruned"
    if metrics.total("lockkeeper_branch_passes_total", branch="observe") == 0:
        yield "observe never ran"
