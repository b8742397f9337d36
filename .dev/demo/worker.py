# SPDX-License-Identifier: Apache-2.0
"""A real Awa worker that beats every second: worker.py URL LEDGER_FOLDER NAME [OPTIONS]

The options are those of AsyncClient.start, as JSON; another beat may be among them.
"""

import asyncio
import json
import signal
import sys
import time

import awa
import jobs
from ledger import Book

BEAT_MS = 1000
CALLBACK_WITHIN = 2.0  # seconds
GIVES_UP_AFTER = 30.0


class Worker:
    def __init__(self, url, folder, name):
        self.client = awa.AsyncClient(url)
        self.name = name
        self.book = Book(folder, name)
        self.answers = set()

    async def run(self, job):
        if isinstance(job.args, jobs.Tick):
            self.book.write("fired", id=job.id, fire=job.metadata["cron_fire_time"], worker=self.name)
            return None
        facts = {"key": job.args.key, "id": job.id, "attempt": job.attempt, "worker": self.name}
        self.book.write("start", **facts)
        if isinstance(job.args, jobs.Leased):
            await job.register_callback()
        if isinstance(job.args, jobs.Stuck) and job.attempt == 1:
            return await self.run_on(job, facts)
        if isinstance(job.args, jobs.Parked) and job.attempt == 1:
            return await self.park(job, facts)
        await asyncio.sleep(getattr(job.args, "seconds", 0.02))
        failures = getattr(job.args, "failures", 0)
        if isinstance(job.args, jobs.Doomed):
            self.book.write("end", outcome="error", **facts)
            raise RuntimeError("fails every time")
        if job.attempt <= failures:
            self.book.write("end", outcome="retry", **facts)
            return awa.RetryAfter(0.5)
        self.book.write("end", outcome="completed", **facts)
        return None

    async def run_on(self, job, facts):
        """Nobody's attempt takes up a place for ever, also where a leader tells no worker that it was rescued. Where it has
        not been rescued by then, its job is completed."""
        until = time.monotonic() + GIVES_UP_AFTER
        while not job.is_cancelled() and time.monotonic() < until:
            await asyncio.sleep(0.1)
        self.book.write("end", outcome="stopped" if job.is_cancelled() else "gave up", **facts)

    async def park(self, job, facts):
        token = await job.register_callback(timeout_seconds=CALLBACK_WITHIN)
        if job.args.answer > 0:
            answering = asyncio.create_task(self.answer(token.id, job.args.answer, facts))
            self.answers.add(answering)
            answering.add_done_callback(self.answers.discard)
        return awa.WaitForCallback(token)

    async def answer(self, callback, delay, facts):
        """As an external system does, which may come too late."""
        await asyncio.sleep(delay)
        self.book.write("end", outcome="answered", **facts)
        try:
            await self.client.complete_external(callback)
        except awa.AwaError:
            self.book.write("end", outcome="too late", **facts)

    async def live(self, options):
        for kind in jobs.KINDS:
            for queue in (*jobs.QUEUES, jobs.EXPORTS):
                self.client.task(kind, queue=queue)(self.run)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        queues = [{"name": name, "max_workers": 16, "deadline_duration_ms": jobs.DEADLINES_MS.get(name)}
                  for name in (*jobs.QUEUES, jobs.EXPORTS)]
        queues = [{key: value for key, value in queue.items() if value} for queue in queues]
        await self.client.start(queues, **{"heartbeat_interval_ms": BEAT_MS, **options})
        await stopped.wait()
        await self.client.shutdown(2000)
        await self.client.close()


if __name__ == "__main__":
    url, folder, name, *rest = sys.argv[1:]
    asyncio.run(Worker(url, folder, name).live(json.loads(rest[0]) if rest else {}))
