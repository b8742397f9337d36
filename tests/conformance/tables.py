# SPDX-License-Identifier: Apache-2.0
"""What stands in a database, row by row, so that two leaders' work can be compared.

Left out is what depends on when a leader did something and not on what: positions in the rings,
lane numbers, and what a ring has forgotten by now. Times after the leaders began count as `now`.
"""

import collections
import datetime
import json

# A row's place, not its content.
PLACES = {"ready_slot", "ready_generation", "claim_slot", "lease_slot", "lease_generation", "lane_seq", "batch_id",
          "enqueue_shard", "receipt_id"}

# Jobs that workers can still claim: not entombed, not claimed before.
AVAILABLE = """
SELECT r.* FROM awa.ready_entries r
WHERE NOT EXISTS (SELECT FROM awa.ready_tombstones t WHERE (t.ready_slot, t.ready_generation, t.queue, t.priority,
        t.enqueue_shard, t.lane_seq) = (r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard, r.lane_seq))
  AND NOT EXISTS (SELECT FROM awa.ready_claim_attempt_batches b WHERE (b.ready_slot, b.ready_generation, b.queue, b.priority,
        b.enqueue_shard) = (r.ready_slot, r.ready_generation, r.queue, r.priority, r.enqueue_shard)
        AND b.lane_ranges @> r.lane_seq)
"""

RECEIPTS = """
SELECT claim_slot, job_id, run_lease, receipt_id, attempt, max_attempts, queue, priority, claimed_at, deadline_at
FROM awa.lease_claims
UNION ALL
SELECT claim_slot, i.job, i.lease, i.receipt, i.attempt, i.most, queue, priority, claimed_at, deadline_at
FROM awa.lease_claim_batches, unnest(job_ids, run_leases, receipt_ids, attempts, max_attempts)
    i(job, lease, receipt, attempt, most)
"""

OPEN_RECEIPTS = f"""
SELECT c.* FROM ({RECEIPTS}) c
WHERE NOT EXISTS (SELECT FROM awa.lease_claim_closures x
        WHERE (x.claim_slot, x.job_id, x.run_lease) = (c.claim_slot, c.job_id, c.run_lease))
  AND NOT EXISTS (SELECT FROM awa.lease_claim_closure_batches x
        WHERE x.claim_slot = c.claim_slot AND x.receipt_ranges @> c.receipt_id)
"""

# What stands twice in the ledgers, or in one of them without a claim, wedges a ring.
UNBALANCED = f"""
SELECT c.job_id, c.run_lease, count(x) AS closures FROM ({RECEIPTS}) c
CROSS JOIN LATERAL (
    SELECT 1 FROM awa.lease_claim_closures x
    WHERE (x.claim_slot, x.job_id, x.run_lease) = (c.claim_slot, c.job_id, c.run_lease)
    UNION ALL
    SELECT 1 FROM awa.lease_claim_closure_batches x, unnest(x.receipt_ids) u(id)
    WHERE x.claim_slot = c.claim_slot AND u.id = c.receipt_id) x
GROUP BY 1, 2 HAVING count(x) > 1
"""

# Counts of terminal rows, folded or not yet, less the rows themselves: a lane that is not zero is wrong.
MISCOUNTED = """
SELECT queue, priority, sum(n)::bigint AS jobs FROM (
    SELECT queue, priority, live_terminal_count AS n FROM awa.queue_terminal_live_counts
    UNION ALL SELECT queue, priority, terminal_delta FROM awa.queue_terminal_count_deltas
    UNION ALL SELECT queue, priority, -1 FROM awa.done_entries) c
GROUP BY 1, 2 HAVING sum(n) <> 0
"""

VIEWS = {
    "available": AVAILABLE,
    "open_receipts": OPEN_RECEIPTS,
    "closed_twice": UNBALANCED,
    "miscounted": MISCOUNTED,
    "dead_letters": "SELECT * FROM awa.dlq_entries",
    "deferred_jobs": "SELECT * FROM awa.deferred_jobs",
    "done_entries": "SELECT * FROM awa.done_entries WHERE state <> 'completed'",
    "leases": "SELECT * FROM awa.leases",
    "attempt_state": "SELECT * FROM awa.attempt_state",
    "unique_claims": "SELECT encode(unique_key, 'escape') AS unique_key, job_id FROM awa.job_unique_claims",
    "jobs_hot": "SELECT * FROM awa.jobs_hot",
    "scheduled_jobs": "SELECT * FROM awa.scheduled_jobs",
    "queue_meta": "SELECT * FROM awa.queue_meta",
    "cron_jobs": "SELECT * FROM awa.cron_jobs",
    "runtime_instances": "SELECT hostname FROM awa.runtime_instances WHERE hostname LIKE 'host%'",
    "queue_descriptors": "SELECT queue FROM awa.queue_descriptors WHERE descriptor_hash = 'x'",
    "job_kind_descriptors": "SELECT kind FROM awa.job_kind_descriptors WHERE descriptor_hash = 'x'",
}


def without_times(value):
    """JSON without the moments that error entries carry."""
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items() if key != "at"}
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return value


def compact(payload):
    """Awa's clients leave out what is empty, its SQL function writes it; both mean the same."""
    return {key: value for key, value in payload.items() if value not in (None, [], {})}


def plain(value, began):
    if isinstance(value, datetime.datetime):
        return "now" if value >= began else value.isoformat()
    if isinstance(value, (dict, list)):
        return without_times(value)
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def read(session, view, began):
    """The rows of one view as dictionaries."""
    cursor = session.execute(VIEWS[view])
    names = [column.name for column in cursor.description]
    rows = [{name: plain(value, began) for name, value in zip(names, row) if name not in PLACES}
            for row in cursor.fetchall()]
    for row in rows:
        if isinstance(row.get("payload"), dict):
            row["payload"] = compact(row["payload"]) or None
        if "cron_name" in ((row.get("payload") or {}).get("metadata") or {}):
            row["job_id"] = None  # whichever schedule came first
    return rows


def read_all(session, began):
    return {view: read(session, view, began) for view in VIEWS}


def difference(expected, found):
    """Rows that only one of them has: (missing, surplus)."""
    theirs = collections.Counter(json.dumps(row, sort_keys=True) for row in expected)
    ours = collections.Counter(json.dumps(row, sort_keys=True) for row in found)
    return [[json.loads(row) for row in sorted((one - other).elements())] for one, other in ((theirs, ours), (ours, theirs))]
