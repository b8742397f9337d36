# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker that writes down every run: worker.py URL LEDGER [SCHEDULE [OPTIONS]]

SIGTERM is a clean stop: what runs is brought to its end. It declares the schedule in its code, as an application does; it fires at every second.
The options are JSON, for AsyncClient.start.
"""

import asyncio
import dataclasses
import json
import os
import signal
import sys

import awa

QUEUES = ("queue0", "queue1", "queue2", "left")
STALENESS_MS = 4000
PATIENT = "patient"  # its first attempts run until they are asked to stop
SLOW = "slow"  # its attempts take longer than anybody may be silent


@dataclasses.dataclass
class Kind:
    n: int


@dataclasses.dataclass
class Patient:
    n: int


@dataclasses.dataclass
class Slow:
    n: int


async def live(url, ledger, schedule="", options="{}"):
    client = awa.AsyncClient(url)
    book = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    async def run(job):
        os.write(book, f"{job.id} {job.attempt}\n".encode())

    async def run_on(job):
        while job.attempt == 1 and not job.is_cancelled():
            await asyncio.sleep(0.02)
        await run(job)

    async def run_long(job):
        await asyncio.sleep(STALENESS_MS / 1000 + 1)
        await run(job)

    for queue in QUEUES:
        client.task(Kind, queue=queue)(run)
    client.task(Patient, queue=PATIENT)(run_on)
    client.task(Slow, queue=SLOW)(run_long)
    if schedule:
        client.periodic(schedule, "* * * * * *", Kind, Kind(n=0), queue=QUEUES[0])
    names = (*QUEUES, PATIENT, SLOW)
    await client.start([{"name": name, "max_workers": 8} for name in names], poll_interval_ms=50,
                       heartbeat_interval_ms=500, leader_election_interval_ms=200,
                       heartbeat_rescue_interval_ms=1000, heartbeat_staleness_ms=STALENESS_MS,
                       **json.loads(options))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await client.shutdown(10_000)
    await client.close()


asyncio.run(live(*sys.argv[1:]))
