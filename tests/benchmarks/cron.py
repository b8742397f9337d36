# SPDX-License-Identifier: Apache-2.0
"""A thousand cron schedules, some due at every second: how long from the fire time to a job."""

import load
from figure import Row, quantile
from scene import database_clock, wait_until

TITLE = "cron fire time → job available, 1,000 schedules"
SCHEDULES = 1000
SECONDS = 60

# Sixteen or seventeen fire at each second of a minute, in eight queues.
DECLARE = """
INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, queue, args, priority, max_attempts, tags, metadata, missed_fire_policy)
SELECT 'schedule' || n, (n %% 60) || ' * * * * *', 'UTC', 'work', 'mail' || n %% 8, '{}', 2, 25, '{}', '{}', 'coalesce'
FROM generate_series(1, %s) n
"""
LATENESS = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - (payload #>> '{metadata,cron_fire_time}')::timestamptz)::float8
FROM awa.ready_entries
WHERE payload #>> '{metadata,cron_fire_time}' IS NOT NULL
  AND (payload #>> '{metadata,cron_fire_time}')::timestamptz >= to_timestamp(%s)
"""


def follow(scene, seconds):
    """Lateness of what fires within so many seconds, once the schedules are known to the leader."""
    load.make_lanes(scene)
    scene.app.execute(DECLARE, (SCHEDULES,))
    began = database_clock(scene.app) + 3
    wait_until(lambda: database_clock(scene.app) > began + seconds, seconds + 30, "schedules fire", every=0.5)
    return scene.column(LATENESS, began)


def ours(bench):
    with bench.scene() as scene:
        scene.lead()
        return follow(scene, bench.scaled(SECONDS))


def awa(bench):
    with bench.scene() as scene:
        scene.lead_by_awa()
        return follow(scene, bench.scaled(SECONDS))


def measure(bench):
    bench.say("Lockkeeper")
    mine = ours(bench)
    bench.say("Awa")
    theirs = awa(bench)
    rows = [Row(f"fire time → job available, {name}", "ms", ms(mine, share), awa=ms(theirs, share), most=aim)
            for name, share, aim in (("p50", 0.5, None), ("p99", 0.99, 20), ("max", 1, None))]
    return [*rows, Row("fires a minute", "", len(mine) * 60 / bench.scaled(SECONDS),
                       awa=len(theirs) * 60 / bench.scaled(SECONDS), more_is_better=True)]


def ms(values, share):
    value = quantile(values, share)
    return None if value is None else 1000 * value
