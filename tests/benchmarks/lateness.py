# SPDX-License-Identifier: Apache-2.0
"""How late the SLO lane starts while hygiene runs one long statement after the other.

Turning a ring is made slow for whoever does it: a trigger on each ring's state reads a table for
a third of a second, as a statement over a large backlog would.
"""

import time

import load
from figure import Row, milliseconds
from scene import database_clock, wait_until

TITLE = "SLO start lateness while long preemptible hygiene statements run back to back"
PER_SECOND = 20
SECONDS = 40
SLOW = 0.3  # seconds a statement
EVERY_MS = 1000  # all rings of both leaders
LATENESS = "lockkeeper_branch_start_lateness_seconds"

BALLAST = """
CREATE TABLE public.ballast AS SELECT n AS id, md5(n::text) AS note FROM generate_series(1, 4000) n;
CREATE FUNCTION public.slow(rounds double precision) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
  FOR round IN 1..floor(rounds) LOOP
    SELECT count(*) INTO found FROM public.ballast WHERE md5(note) < '1';
  END LOOP;
  RETURN found;
END $$;
GRANT SELECT ON public.ballast TO app;
"""

TRIGGERS = """
CREATE FUNCTION public.slow_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.slow({rounds});
  RETURN NULL;
END $$;
CREATE TRIGGER slow BEFORE UPDATE ON awa.queue_ring_state FOR EACH STATEMENT EXECUTE FUNCTION public.slow_turn();
CREATE TRIGGER slow BEFORE UPDATE ON awa.lease_ring_state FOR EACH STATEMENT EXECUTE FUNCTION public.slow_turn();
CREATE TRIGGER slow BEFORE UPDATE ON awa.claim_ring_state FOR EACH STATEMENT EXECUTE FUNCTION public.slow_turn();
"""


def slow_down(scene):
    """So many rounds over the table as take SLOW seconds here and now."""
    scene.admin.execute(BALLAST)
    scene.settle()
    began = time.monotonic()
    scene.admin.execute("SELECT public.slow(200)")
    rounds = 200 * SLOW / (time.monotonic() - began)
    scene.admin.execute(TRIGGERS.format(rounds=max(1, round(rounds))))


def follow(scene, count):
    """Lateness of jobs that fall due one after the other, while workers run them."""
    end = load.schedule(scene, count, PER_SECOND) + 15
    late = {}

    def look():
        late.update(load.lateness(scene))
        return len(late) == count or database_clock(scene.app) > end

    wait_until(look, 600, "the jobs fall due", every=2.0)
    return list(late.values()), count - len(late)


def ours(bench, count):
    with bench.scene() as scene:
        slow_down(scene)
        daemon = scene.lead()
        scene.worker(load.QUEUES)
        load.make_lanes(scene)
        before = daemon.scrape()
        late, missing = follow(scene, count)
        return late, missing, daemon.scrape().since(before)


def awa(bench, count):
    with bench.scene() as scene:
        slow_down(scene)
        scene.lead_by_awa(load.QUEUES, queue_storage_queue_rotate_interval_ms=EVERY_MS,
                          queue_storage_lease_rotate_interval_ms=EVERY_MS,
                          queue_storage_claim_rotate_interval_ms=EVERY_MS)
        load.make_lanes(scene)
        return follow(scene, count)


def measure(bench):
    count = int(PER_SECOND * bench.scaled(SECONDS))
    bench.say(f"Lockkeeper, {count} jobs")
    our_late, our_missing, metrics = ours(bench, count)
    bench.say(f"Awa, {count} jobs")
    awa_late, awa_missing = awa(bench, count)
    preempted = metrics.total("lockkeeper_preemptions_total")
    says = f"({awa_missing} of {count} never)" if awa_missing else ""
    mine = load.spread(our_late)
    theirs = load.spread(awa_late)
    return [
        Row("start lateness of the SLO lane, p99, at most", "ms",
            milliseconds(metrics.quantile(LATENESS, 0.99, lane="slo")), most=5),
        Row("start lateness of the SLO lane, max, at most", "ms",
            milliseconds(metrics.quantile(LATENESS, 1, lane="slo")), most=25),
        Row("job due → available, p50", "ms", mine[0], awa=theirs[0], awa_says=says),
        Row("job due → available, p99", "ms", mine[1], awa=theirs[1], awa_says=says, times=100),
        Row("job due → available, max", "ms", mine[2], awa=theirs[2], awa_says=says),
        Row("jobs that never became available", "", our_missing, most=0),
        Row("hygiene statements cancelled meanwhile", "", preempted),
    ]
