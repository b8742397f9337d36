# SPDX-License-Identifier: Apache-2.0
"""A slot full of failed and cancelled jobs comes to be pruned: who waits while the failed ones,
which are still to be kept, are carried on."""

import time

import load
from figure import Row, milliseconds, quantile
from scene import database_clock, wait_until

TITLE = "debt bomb: 100k failed and 200k cancelled terminal rows in one slot"
FAILED = 100_000
CANCELLED = 200_000
PER_SECOND = 20
SECONDS = 90

# The slot so many turns ago.
SLOT = """
SELECT mod(current_slot - %(ago)s + slot_count, slot_count), generation - %(ago)s FROM awa.queue_ring_state
"""
STANDS = "SELECT generation = %(generation)s FROM awa.queue_ring_slots WHERE slot = %(slot)s"
# As Awa's client leaves them: a ready row and a narrow terminal row each, in one lane of a slot; the job
# that made the lane has ended with the first of them.
FILL = """
WITH ring AS (SELECT %(slot)s::integer AS current_slot, %(generation)s::bigint AS generation),
first AS (SELECT awa.reserve_enqueue_seq('wreck', 2::smallint, 0::smallint, %(count)s) AS seq),
ready AS (
    INSERT INTO awa.ready_entries (ready_slot, ready_generation, job_id, kind, queue, args, priority, attempt, run_lease,
        max_attempts, lane_seq, enqueue_shard, run_at, created_at)
    SELECT r.current_slot, r.generation, nextval('awa.job_id_seq'), 'work', 'wreck', '{}', 2, 0, 0, 1, f.seq + n - 1, 0, now(), now()
    FROM ring r, first f, generate_series(1, %(count)s) n RETURNING *),
done AS (
    INSERT INTO awa.done_entries (ready_slot, ready_generation, job_id, kind, queue, state, priority, attempt, run_lease,
        lane_seq, enqueue_shard, attempted_at, finalized_at)
    SELECT ready_slot, ready_generation, job_id, kind, queue,
        (CASE WHEN lane_seq - f.seq < %(failed)s THEN 'failed' ELSE 'cancelled' END)::awa.job_state,
        priority, 1, 1, lane_seq, enqueue_shard, now(), now()
    FROM (SELECT * FROM ready UNION ALL SELECT e.* FROM awa.ready_entries e, first f
        WHERE e.queue = 'wreck' AND e.lane_seq = 1 AND f.seq = 2) job, first f RETURNING *),
segment AS (
    INSERT INTO awa.ready_segments (ready_slot, ready_generation, queue, priority, enqueue_shard, first_lane_seq, next_lane_seq,
        first_run_at)
    SELECT r.current_slot, r.generation, 'wreck', 2, 0, f.seq, f.seq + %(count)s, now() FROM ring r, first f)
INSERT INTO awa.queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority, enqueue_shard, counter_bucket,
    terminal_delta)
SELECT ready_slot, ready_generation, queue, priority, enqueue_shard, (job_id %% 256)::smallint, count(*)
FROM done GROUP BY 1, 2, 3, 4, 5, 6
"""
# The claim cursor stands behind them.
ADVANCE = """
SELECT awa.set_sequence_next(h.seq_name, (SELECT max(r.lane_seq) + 1 FROM awa.ready_entries r WHERE r.queue = 'wreck'))
FROM awa.queue_claim_heads h WHERE h.queue = 'wreck'
"""
IS_PRUNED = "SELECT NOT EXISTS (SELECT FROM awa.done_entries WHERE queue = 'wreck' AND ready_slot = %s AND ready_generation = %s)"
CARRIED = "SELECT count(*) FROM awa.done_entries WHERE queue = 'wreck'"
# Rolled back, since a claim that nobody ends would pin the slot of its job.
CLAIM = "BEGIN; SELECT count(*) FROM awa.claim_ready_runtime('mail0', 1, 0, 0); ROLLBACK"


def finish(session, count, failed, slots=1):
    """So many jobs of one queue have ended in each of the last slots, from the oldest one on; the others are
    cancelled."""
    session.execute("SELECT awa.insert_job_compat('work', 'wreck', '{}')")
    places = [session.execute(SLOT, {"ago": ago}).fetchone() for ago in reversed(range(slots))]
    for slot, generation in places:
        session.execute(FILL, {"slot": slot, "generation": generation, "count": count, "failed": failed})
        session.execute(ADVANCE)
        if not session.execute(STANDS, {"slot": slot, "generation": generation}).fetchone()[0]:
            raise RuntimeError("the ring has come round before its slots were filled")
    return places[-1]


def explode(bench, lead):
    """(lateness of promotion, times of claims, seconds until the slot was empty or None)."""
    failed, cancelled = int(bench.scaled(FAILED)), int(bench.scaled(CANCELLED))
    with bench.scene() as scene:
        load.make_lanes(scene)
        slot, generation = finish(scene.app, failed + cancelled, failed)
        scene.settle()
        lead(scene)
        scene.worker(load.QUEUES)
        claimer = load.Caller(scene.url("app"), CLAIM, 0.005)
        began, late = time.monotonic(), {}
        load.schedule(scene, PER_SECOND * SECONDS, PER_SECOND)
        end = database_clock(scene.app) + SECONDS
        pruned_after = None

        def look():
            nonlocal pruned_after
            late.update(load.lateness(scene))
            if pruned_after is None and scene.value(IS_PRUNED, slot, generation):
                pruned_after = time.monotonic() - began
            return database_clock(scene.app) > end

        try:
            wait_until(look, SECONDS + 60, "the slot is pruned", every=0.5)
        finally:
            times = claimer.stop()
        if pruned_after is not None and scene.value(CARRIED) < failed:
            raise RuntimeError("failed jobs were lost")
        return list(late.values()), times, pruned_after


def measure(bench):
    bench.say("Lockkeeper")
    mine, claims, after = explode(bench, lambda scene: scene.lead())
    bench.say("Awa")
    theirs, awa_claims, awa_after = explode(bench, lambda scene: scene.lead_by_awa(load.QUEUES))
    return [
        Row("job due → available, p99", "ms", milliseconds(quantile(mine, 0.99)), awa=milliseconds(quantile(theirs, 0.99)), most=100),
        Row("job due → available, max", "ms", milliseconds(quantile(mine, 1)), awa=milliseconds(quantile(theirs, 1))),
        Row("a worker's claim, max", "ms", milliseconds(max(claims)), awa=milliseconds(max(awa_claims)), most=100),
        Row("the slot is empty after", "s", after, ours_says="" if after else "never meanwhile", awa=awa_after,
            awa_says="" if awa_after else "never meanwhile"),
    ]
