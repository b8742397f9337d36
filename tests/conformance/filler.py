# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker whose handlers do what their jobs say: filler.py URL"""

import asyncio
import dataclasses
import sys

import awa

ROW_LOCAL = "rows"  # attempts with a deadline, so their receipts are rows
COMPACT = "batches"
HOUR = 3600


@dataclasses.dataclass
class Task:
    do: str


async def forever():
    await asyncio.sleep(24 * HOUR)  # the loop remembers who sleeps; an event of one's own would be collected


async def run(job):
    do = job.args.do
    if do == "fail":
        raise RuntimeError("as it was told")
    if do == "progress":
        job.set_progress(40, "so far")
        await job.flush_progress()
    if do == "lease":
        await job.register_callback(timeout_seconds=HOUR)
    if do in ("hang", "progress", "lease"):
        await forever()
    endings = {"cancel": awa.Cancel("as it was told"), "retry": awa.RetryAfter(HOUR), "snooze": awa.Snooze(HOUR)}
    if do == "park":
        return awa.WaitForCallback(await job.register_callback(timeout_seconds=HOUR))
    return endings.get(do)


async def live(url):
    client = awa.AsyncClient(url)
    for queue in (ROW_LOCAL, COMPACT):
        client.task(Task, queue=queue)(run)
    await client.start([{"name": ROW_LOCAL, "max_workers": 200, "deadline_duration_ms": HOUR * 1000},
                        {"name": COMPACT, "max_workers": 200}],
                       poll_interval_ms=50, leader_election_interval_ms=200)
    await forever()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1]))
