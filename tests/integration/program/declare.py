# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker that declares two schedules in its code: declare.py URL"""

import asyncio
import dataclasses
import sys

import awa


@dataclasses.dataclass
class Report:
    days: int
    rate: float
    names: list[str]


async def live(url):
    client = awa.AsyncClient(url)

    async def run(job):
        pass

    client.task(Report, queue="reports")(run)
    report = Report(days=7, rate=1.0, names=["\u00e4", 'a "b"'])
    client.periodic("short", "0 0 1 1 *", Report, report)
    client.periodic("long", "*/5 3 * * 1-5", Report, report, timezone="Europe/Berlin", queue="reports",
                    priority=1, max_attempts=3, tags=["a", "b c"], metadata={"team": "sales"},
                    missed_fire_policy="catch_up")
    await client.start([{"name": "reports", "max_workers": 1}], leader_election_interval_ms=200)
    await asyncio.Event().wait()


asyncio.run(live(*sys.argv[1:]))
