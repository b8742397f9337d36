# SPDX-License-Identifier: Apache-2.0
"""How long workers wait for the locks of a prune, by the server's own log of lock waits."""

import load
from figure import Row
from lateness import EVERY_MS
from rings import BUSY, JOBS_PER_SECOND, WARM_UP, WORKERS
from server_log import LOG_WAITS, PREFIX, lock_waits

TITLE = "how long a prune makes workers wait"
SECONDS = 60
DUE_PER_SECOND = 2
TOGETHER = 0.05  # seconds; waits that end within this have waited for one prune


def stalls(waits):
    """The longest wait of each prune; `waits` are (when it ended, how long it was) in order."""
    longest, ended = [], None
    for at, waited in waits:
        if ended is None or at - ended > TOGETHER:
            longest.append(0.0)
        longest[-1] = max(longest[-1], waited)
        ended = at
    return longest


def watch(bench, cluster, lead):
    """The longest wait of each prune that made somebody wait, and the prunes that there were."""
    with bench.scene(cluster) as scene:
        lead(scene)
        for _ in range(WORKERS):
            scene.worker({**load.QUEUES, **BUSY})
        load.make_lanes(scene)
        load.run_evenly(scene, "busy", JOBS_PER_SECOND, WARM_UP)
        seconds = bench.scaled(SECONDS)
        log = cluster.folder / "postgresql.log"
        mark, turned = log.stat().st_size, generation(scene)
        load.schedule(scene, int(DUE_PER_SECOND * seconds), DUE_PER_SECOND)
        load.run_evenly(scene, "busy", JOBS_PER_SECOND, seconds)
        return stalls(lock_waits(log, mark)), generation(scene) - turned


def generation(scene):
    """Turns of the two rings that these workers fill."""
    return scene.value("SELECT q.generation + c.generation FROM awa.queue_ring_state q, awa.claim_ring_state c")


def lead_by_awa(scene):
    scene.lead_by_awa(queue_storage_queue_rotate_interval_ms=EVERY_MS,
                      queue_storage_lease_rotate_interval_ms=EVERY_MS,
                      queue_storage_claim_rotate_interval_ms=EVERY_MS)


def measure(bench):
    cluster = bench.cluster(f"shared_buffers = 128MB\n{PREFIX}\n{LOG_WAITS}")
    bench.say(f"Lockkeeper, {JOBS_PER_SECOND} jobs a second")
    ours, our_turns = watch(bench, cluster, lambda scene: scene.lead())
    bench.say(f"Awa, {JOBS_PER_SECOND} jobs a second")
    awa, awa_turns = watch(bench, cluster, lead_by_awa)
    bench.end(cluster)
    names = [("p50", 2), ("p99", 2), ("max", None)]
    rows = [Row(f"longest wait of a worker for a prune, {name}", "ms", mine, awa=theirs, times=times)
            for (name, times), mine, theirs in zip(names, load.spread(ours), load.spread(awa))]
    return [*rows,
            Row("prunes that somebody waited for", "", len(ours), awa=len(awa)),
            Row("the queue and claim rings turned", "times", our_turns, awa=awa_turns, more_is_better=True)]
