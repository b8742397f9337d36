# SPDX-License-Identifier: Apache-2.0
"""Cron schedules, published by a worker that leads; then some of their fires are missed.

Nothing waits for years, and only Awa's page pauses a schedule: pauses and ages are written into the rows.
"""

import datetime

from scene import wait_until

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
STEPS = 10
PUBLISHED = "SELECT count(*) FROM awa.cron_jobs"

AGE = """
UPDATE awa.cron_jobs SET paused_at = CASE WHEN %(is_paused)s THEN now() END,
    last_enqueued_at = now() - %(days)s::int * interval '1 day', created_at = now() - interval '500 days'
WHERE name = %(name)s
"""


def schedule(chance, n):
    """Fires seldom, and neither today nor tomorrow."""
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=chance.randint(3, 25))).day
    second = f"{chance.randint(0, 59)} " if chance.random() < 0.5 else ""
    month = chance.choice(("*", "*", "*/3", "1,7"))
    return {"name": f"random{n}", "cron_expr": f"{second}{chance.randint(0, 59)} {chance.randint(0, 23)} {day} {month} *",
            "timezone": chance.choice(ZONES), "queue": f"alone_ticks{n}", "priority": chance.randint(1, 4),
            "max_attempts": chance.randint(1, 25), "tags": chance.sample(["a", "b"], chance.randint(0, 2)),
            "metadata": {"m": n}, "missed_fire_policy": chance.choice(("coalesce", "catch_up"))}


def live(world):
    chance = world.chance
    first = world.value(PUBLISHED)
    schedules = [schedule(chance, n) for n in range(first, first + STEPS)]
    with world.worker([{"name": "nothing", "max_workers": 1}], schedules):
        wait_until(lambda: world.value(PUBLISHED) == first + STEPS, 20, "the worker publishes its schedules")
    yield
    for each in schedules:
        world.session.execute(AGE, {"name": each["name"], "is_paused": chance.random() < 0.2,
                                    "days": chance.choice((None, 1, 40, 200, 400))})
