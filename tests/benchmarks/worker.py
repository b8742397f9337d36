# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker, with Awa's defaults but for what it is told: worker.py URL SETTINGS

The settings are JSON: {"queues": {name: max_workers}, "options": {of AsyncClient.start},
"takes": seconds that a job takes, "telemetry": [endpoint, name of the service] or nothing}.
SIGTERM is a clean stop where jobs take a while: those that run are brought to their end.
"""

import asyncio
import dataclasses
import json
import signal
import sys

import awa


# Awa's default of ten is used up by a leader that serves eight queues: it then does nothing.
CONNECTIONS = 20


@dataclasses.dataclass
class Work:
    due: float = 0.0


async def live(url, settings):
    if "telemetry" in settings:
        awa.init_telemetry(*settings["telemetry"], export_interval_ms=1000)
    takes = settings.get("takes", 0)

    async def run(job):
        if takes:
            await asyncio.sleep(takes)

    client = awa.AsyncClient(url, max_connections=CONNECTIONS)
    for queue in settings["queues"]:
        client.task(Work, queue=queue)(run)
    queues = [{"name": name, "max_workers": most} for name, most in settings["queues"].items()]
    await client.start(queues, **settings["options"])
    stop = asyncio.Event()
    if takes:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await client.shutdown(10_000)
    await client.close()


asyncio.run(live(sys.argv[1], json.loads(sys.argv[2])))
