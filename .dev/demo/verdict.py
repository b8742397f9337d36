# SPDX-License-Identifier: Apache-2.0
"""The demo's judgement of Lockkeeper."""


MOVERS = ("promote_scheduled", "rescue_stale_heartbeats", "rescue_expired_deadlines", "rescue_expired_callbacks",
          "cron_eval")
RESTING = ("refresh_admin_metadata",)  # it counts canonical jobs, and these are in queue storage


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
    for branch in metrics.labels("lockkeeper_branch_passes_total", "branch"):
        ends = ("skipped",) if branch in RESTING else ("done", "idle")
        if not any(passes(metrics, branch, end) for end in ends):
            yield f"no pass of {branch} came to a good end"
        failed = passes(metrics, branch, "failed")
        if failed > 0:
            yield f"{failed:g} passes of {branch} failed"


def passes(metrics, branch, outcome):
    return metrics.total("lockkeeper_branch_passes_total", branch=branch, outcome=outcome)
