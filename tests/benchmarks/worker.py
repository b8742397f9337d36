# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker, with Awa's defaults but for what it is told: worker.py URL SETTINGS

The settings are JSON: {"queues": {name: max_workers}, "options": {of AsyncClient.start},
"telemetry": [endpoint, name of the service] or nothing}.
"""

import asyncio
import dataclasses
import json
import sys

import awa


# Awa's default of ten is used up by a leader that serves eight queues: it then does nothing.
CONNECTIONS = 20


@dataclasses.dataclass
class Work:
    due: float = 0.0


async def run(job):
    return None


async def live(url, settings):
    if "telemetry" in settings:
        awa.init_telemetry(*settings["telemetry"], export_interval_ms=1000)
    client = awa.AsyncClient(url, max_connections=CONNECTIONS)
    for queue in settings["queues"]:
        client.task(Work, queue=queue)(run)
    queues = [{"name": name, "max_workers": most} for name, most in settings["queues"].items()]
    await client.start(queues, **settings["options"])
    await asyncio.Event().wait()


asyncio.run(live(sys.argv[1], json.loads(sys.argv[2])))
