# SPDX-License-Identifier: Apache-2.0
"""The kinds of jobs of the demo; each carries its key in the ledger."""

import dataclasses

QUEUES = ("mail", "reports", "webhooks")
EXPORTS = "exports"
TICKS_EVERY = 2  # seconds
# As an operator would declare it.
SCHEDULE = f"""
INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, queue, args, priority, max_attempts, tags, metadata,
                           missed_fire_policy)
VALUES ('ticks', '*/{TICKS_EVERY} * * * * *', 'UTC', 'tick', 'mail', '{{"schedule": "ticks"}}', 2, 25, '{{}}', '{{}}',
        'catch_up')
"""
# Attempts of these queues have a deadline, so their claims are kept row by row, not in batches.
DEADLINES_MS = {"reports": 300_000, EXPORTS: 3_000}


@dataclasses.dataclass
class Quick:
    key: str
    seconds: float


@dataclasses.dataclass
class Slow:
    """Long enough that a killed worker always leaves some behind."""

    key: str
    seconds: float


@dataclasses.dataclass
class Flaky:
    """Fails `failures` times and then completes."""

    key: str
    failures: int


@dataclasses.dataclass
class Doomed:
    """Fails until its attempts are used up."""

    key: str


@dataclasses.dataclass
class Once:
    """Unique by its arguments: while one waits, another is refused."""

    key: str
    seconds: float


@dataclasses.dataclass
class Leased:
    """Registers a callback, so that its attempt is a lease, and completes before it comes."""

    key: str
    seconds: float


@dataclasses.dataclass
class Stuck:
    """Its first attempt runs far beyond its deadline, unless somebody asks it to stop then."""

    key: str


@dataclasses.dataclass
class Parked:
    """Waits for a callback in its first attempt, and completes in any later one. The callback comes
    after `answer` seconds, or never if that is zero."""

    key: str
    answer: float


@dataclasses.dataclass
class Tick:
    """Made by a cron schedule, a job a fire."""

    schedule: str


KINDS = (Quick, Slow, Flaky, Doomed, Once, Leased, Stuck, Parked, Tick)
