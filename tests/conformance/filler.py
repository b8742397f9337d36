# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker whose handlers do what their jobs say: filler.py URL SETTINGS

The settings are JSON: {"queues": [as AsyncClient.start takes them], "options": {its options},
"schedules": [{"name", "cron_expr", …: as AsyncClient.periodic takes them}]}.
"""

import asyncio
import dataclasses
import json
import sys

import awa

HOUR = 3600


@dataclasses.dataclass
class Task:
    do: str = "complete"


async def forever():
    await asyncio.sleep(24 * HOUR)  # the loop remembers who sleeps; an event of one's own would be collected


async def run(job):
    do = job.args.do
    if do == "fail":
        raise RuntimeError("as it was told")
    if do in ("lease", "advance"):
        await job.register_callback(timeout_seconds=HOUR)
    if do in ("progress", "advance"):
        job.set_progress(40, "so far")
        await job.flush_progress()
    if do in ("hang", "progress", "lease", "advance"):
        await forever()
    endings = {"cancel": awa.Cancel("as it was told"), "retry": awa.RetryAfter(HOUR), "snooze": awa.Snooze(HOUR)}
    if do == "park":
        return awa.WaitForCallback(await job.register_callback(timeout_seconds=HOUR))
    return endings.get(do)


async def live(url, settings):
    client = awa.AsyncClient(url, max_connections=20)
    for queue in settings["queues"]:
        client.task(Task, queue=queue["name"])(run)
        client.queue_descriptor(queue["name"], owner="conformance")
    client.job_kind_descriptor("task", owner="conformance")
    for schedule in settings["schedules"]:
        client.periodic(args_type=Task, args=Task(), **schedule)
    await client.start(settings["queues"], poll_interval_ms=50, leader_election_interval_ms=200, **settings["options"])
    await forever()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], json.loads(sys.argv[2])))
