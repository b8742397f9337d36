# SPDX-License-Identifier: Apache-2.0
"""Half a million finished canonical jobs past their retention: how fast they go, and who waits."""

import time

import load
from figure import Row, milliseconds, quantile
from scene import wait_until

TITLE = "cleanup of 500k expired rows of the canonical plane"
EXPIRED = 500_000
PER_SECOND = 20  # jobs that fall due meanwhile
LATENESS = "lockkeeper_branch_start_lateness_seconds"
PASSES = "lockkeeper_branch_passes_total"
SLO = ("promote_scheduled", "rescue_stale_heartbeats", "rescue_expired_deadlines", "rescue_expired_callbacks", "cron_eval")
AWA_MINUTE = 125.0  # two of its intervals, and a start
AT_ONCE = '[branches.cleanup]\nevery = "1s"\n'

# Back to a database that never had queue storage.
CANONICAL = """
DELETE FROM awa.runtime_storage_backends;
UPDATE awa.storage_transition_state SET state = 'canonical', current_engine = 'canonical', prepared_engine = NULL, details = '{}';
"""
FILL = """
INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at, finalized_at)
SELECT 'work', 'mail' || n %% 8, '{}', 'completed', now() - interval '3 days', now() - interval '2 days'
FROM generate_series(1, %s) n
"""
LEFT = "SELECT count(*) FROM awa.jobs_hot WHERE state = 'completed' AND finalized_at < now() - interval '1 day'"
ENQUEUE = "SELECT awa.insert_job_compat('work', 'mail1', '{}')"
DUE = """
INSERT INTO awa.scheduled_jobs (kind, queue, args, state, run_at)
SELECT 'work', 'mail2', jsonb_build_object('due', extract(epoch FROM now()) + n * %(step)s::float8), 'scheduled',
       to_timestamp(extract(epoch FROM now()) + n * %(step)s::float8)
FROM generate_series(1, %(count)s::integer) n
"""
PROMOTED = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 - (args->>'due')::float8
FROM awa.jobs_hot WHERE args ? 'due'
"""


def fill(scene, count):
    scene.admin.execute(CANONICAL)
    scene.admin.execute(FILL, (count,))
    scene.settle()


def has_begun(daemon):
    """The first passes, all due at once, prepare their statements; that is no matter of cleanup."""
    metrics = daemon.scrape()
    return all(metrics.total(PASSES, branch=branch) > 0 for branch in SLO)


def lead(scene, count):
    """The daemon on a database with so many expired rows, when each branch of the SLO lane has had its first pass."""
    fill(scene, count)
    daemon = scene.lead(AT_ONCE)
    wait_until(lambda: has_begun(daemon), 20, "each branch of the SLO lane has had its first pass")
    return daemon


def deletes(scene):
    """Rows a minute, from now on until none is left."""
    began, before = time.monotonic(), scene.value(LEFT)
    wait_until(lambda: scene.value(LEFT) == 0, 300, "all expired rows are deleted", every=0.2)
    return before * 60 / (time.monotonic() - began)


def alone(bench, count):
    """Rows a minute while nothing else is to be done."""
    with bench.scene() as scene:
        lead(scene, count)
        return deletes(scene)


def busy(bench, count):
    """The same beside a producer and jobs that fall due, and what these see of it."""
    with bench.scene() as scene:
        daemon = lead(scene, count)
        scene.app.execute(DUE, {"step": 1 / PER_SECOND, "count": PER_SECOND * 120})
        before = daemon.scrape()
        producer = load.Caller(scene.url("app"), ENQUEUE, 0.01)
        try:
            rate = deletes(scene)
        finally:
            times = producer.stop()
        return rate, times, scene.column(PROMOTED), daemon.scrape().since(before)


def awa(bench, count):
    """Rows a minute, from two of Awa's intervals; and how late its promotion is meanwhile."""
    with bench.scene() as scene:
        fill(scene, count)
        scene.lead_by_awa()
        scene.app.execute(DUE, {"step": 1 / PER_SECOND, "count": PER_SECOND * 120})
        producer = load.Caller(scene.url("app"), ENQUEUE, 0.01)
        try:
            time.sleep(AWA_MINUTE)
        finally:
            times = producer.stop()
        return (count - scene.value(LEFT)) / 2, times, scene.column(PROMOTED)


def measure(bench):
    count = int(bench.scaled(EXPIRED))
    bench.say(f"Lockkeeper, {count} rows")
    rate, stalls, late, metrics = busy(bench, count)
    bench.say("Lockkeeper, with nothing else to do")
    rate_alone = alone(bench, count)
    bench.say("Awa, two of its minutes")
    awa_rate, awa_stalls, awa_late = awa(bench, count)
    return [
        Row("expired rows deleted a minute", "", rate, awa=awa_rate, times=20, more_is_better=True),
        Row("of what it deletes with an idle SLO lane", "%", 100 * rate / rate_alone, least=90),
        Row("an enqueue meanwhile, max", "ms", 1000 * max(stalls), awa=1000 * max(awa_stalls), most=50),
        Row("start lateness of the SLO lane meanwhile, p99, at most", "ms",
            milliseconds(metrics.quantile(LATENESS, 0.99, lane="slo")), most=5),
        Row("start lateness of the SLO lane meanwhile, max, at most", "ms",
            milliseconds(metrics.quantile(LATENESS, 1, lane="slo")), most=25),
        Row("job due → available meanwhile, p99", "ms", milliseconds(quantile(late, 0.99)),
            awa=milliseconds(quantile(awa_late, 0.99))),
    ]
