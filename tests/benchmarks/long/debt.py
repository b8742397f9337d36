# SPDX-License-Identifier: Apache-2.0
"""What hygiene has left undone, and what it has done: nobody wins by starving it."""

from long.duties import STALENESS

LEFT = {
    "due_jobs": "SELECT count(*) FROM awa.deferred_jobs WHERE run_at < now() - interval '1 second'",
    "stale_claims": f"""
        SELECT count(*) FROM public.live_receipt r JOIN awa.lease_claims c USING (claim_slot, job_id, run_lease)
        LEFT JOIN awa.attempt_state s USING (job_id, run_lease)
        WHERE r.closures = 0 AND greatest(c.claimed_at, s.heartbeat_at) < now() - interval '{2 * STALENESS} seconds'""",
    "expired_dead_letters": "SELECT count(*) FROM awa.dlq_entries WHERE dlq_at < now() - interval '30 days'",
    "terminal_rows": "SELECT count(*) FROM awa.done_entries",
    "full_queue_slots": "SELECT count(DISTINCT ready_slot) FROM awa.ready_entries",
    "full_claim_slots": """
        SELECT count(*) FROM (SELECT claim_slot FROM awa.lease_claims UNION
                              SELECT claim_slot FROM awa.lease_claim_batches) s""",
    "count_deltas": "SELECT count(*) FROM awa.queue_terminal_count_deltas",
    "dead_tuples": "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE schemaname = 'awa'",
    "megabytes": "SELECT pg_database_size(current_database()) / 1000000",
}
TURNS = """
SELECT (SELECT generation FROM awa.queue_ring_state) + (SELECT generation FROM awa.lease_ring_state)
     + (SELECT generation FROM awa.claim_ring_state)
"""


def left(scene):
    return {name: int(scene.value(statement)) for name, statement in LEFT.items()}


def turns(scene):
    """Of all three rings since the database was made."""
    return int(scene.value(TURNS))
