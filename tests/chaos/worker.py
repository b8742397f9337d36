# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker that writes down every run: worker.py URL LEDGER"""

import asyncio
import dataclasses
import os
import sys

import awa

QUEUES = ("queue0", "queue1", "queue2", "left")


@dataclasses.dataclass
class Kind:
    n: int


async def live(url, ledger):
    client = awa.AsyncClient(url)
    book = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    async def run(job):
        os.write(book, f"{job.id} {job.attempt}\n".encode())

    for queue in QUEUES:
        client.task(Kind, queue=queue)(run)
    await client.start([{"name": name, "max_workers": 8} for name in QUEUES], poll_interval_ms=50,
                       heartbeat_interval_ms=500, leader_election_interval_ms=200,
                       heartbeat_rescue_interval_ms=1000, heartbeat_staleness_ms=4000)
    await asyncio.Event().wait()


asyncio.run(live(*sys.argv[1:]))
