# SPDX-License-Identifier: Apache-2.0
"""How late the SLO lane starts while all three rings turn and prune full slots each second."""

import load
from figure import Row, milliseconds
from lateness import LATENESS
from scene import wait_until
from server_log import LOG_ALL, PREFIX, prunes

TITLE = "SLO start lateness while all three rings rotate and prune full slots each second"
SECONDS = 60  # so that the 99th percentile of the SLO passes is no single event
WARM_UP = 20  # more than a lap of the queue ring, so that every second has a slot to prune
JOBS_PER_SECOND = 400
BUFFERS = ("128MB", "8GB")
DUE_PER_SECOND = {"with gaps": 2, "steady": 200}
WORKERS = 2
BUSY = {"busy": 64}


def turn(bench, cluster, per_second):
    with bench.scene(cluster) as scene:
        daemon = scene.lead()
        for _ in range(WORKERS):
            scene.worker({**load.QUEUES, **BUSY})
        load.make_lanes(scene)
        load.run_evenly(scene, "busy", JOBS_PER_SECOND, WARM_UP)
        seconds = bench.scaled(SECONDS)
        log = cluster.folder / "postgresql.log"
        mark, before, late = log.stat().st_size, daemon.scrape(), {}
        count = int(per_second * seconds)
        load.schedule(scene, count, per_second)
        load.run_evenly(scene, "busy", JOBS_PER_SECOND, seconds + 2, lambda: late.update(load.lateness(scene)))
        counted = daemon.scrape().since(before)
        wait_until(lambda: late.update(load.lateness(scene)) or len(late) == count, 15, "the jobs are promoted",
                   every=1.0)
        return counted, list(late.values()), list(prunes(log, mark))


def rows(label, is_strict, found):
    counted, late, pruned = found
    strict = {"most": 5} if is_strict else {}
    yield Row(f"{label}: start lateness, p99, at most", "ms",
              milliseconds(counted.quantile(LATENESS, 0.99, lane="slo")), **strict)
    yield Row(f"{label}: start lateness, max, at most", "ms", milliseconds(counted.quantile(LATENESS, 1, lane="slo")))
    yield Row(f"{label}: job due → available, p99", "ms", load.spread(late)[1])
    for ring in ("queue", "lease", "claim"):
        turned = counted.total("awa_maintenance_rotate_attempts_total", awa_ring=ring, awa_ring_outcome="rotated")
        mine = [each for each in pruned if each[0] == ring]
        yield Row(f"{label}: {ring} ring turned", "times", turned, ours_says=f"({len(mine)} prunes)")
        if mine:
            yield length(f"{label}: {ring} prune, lock → commit, p50", [each[1] for each in mine])
            yield length(f"{label}: {ring} prune, first table emptied → commit, p50", [each[2] for each in mine])


def length(what, seconds):
    median, _, longest = load.spread(seconds)
    return Row(what, "ms", median, ours_says=f"(at most {longest:.0f})")


def measure(bench):
    table = []
    for buffers in BUFFERS:
        bench.say(f"a server with {buffers} of shared buffers")
        cluster = bench.cluster(f"shared_buffers = {buffers}\nhuge_pages = off\n{PREFIX}")
        with cluster.connect(database="postgres") as admin:
            admin.execute(LOG_ALL)
        for label, per_second in DUE_PER_SECOND.items():
            bench.say(f"{label}: {per_second} due a second, {JOBS_PER_SECOND} jobs run a second")
            table += rows(f"{buffers}, {label}", label == "with gaps", turn(bench, cluster, per_second))
        bench.end(cluster)
    return table
