# SPDX-License-Identifier: Apache-2.0
"""Makes jobs of every kind until SIGTERM: producer.py URL LEDGER_FOLDER [SECONDS_BETWEEN_TWO]"""

import datetime
import itertools
import random
import signal
import sys
import time

import awa
import jobs
from ledger import Book

UNIQUE = {"by_args": True, "by_queue": True}


class Producer:
    def __init__(self, url, folder, pause=0.05):
        self.client = awa.Client(url, max_connections=2)
        self.pause = float(pause)
        self.book = Book(folder, "producer")
        self.numbers = itertools.count(1)
        self.stopped = False

    def insert(self, make, key=None, expect="completed", delay=0.0, **options):
        """One job into a random lane; the intent is written before, the answer after."""
        key = key or f"{make.__name__}-{next(self.numbers)}"
        run_at = time.time() + delay if delay else None
        args = make(key)
        options.setdefault("queue", random.choice(jobs.QUEUES))
        self.book.write("intent", key=key, kind=type(args).__name__, expect=expect, run_at=run_at)
        when = datetime.datetime.fromtimestamp(run_at, datetime.timezone.utc) if run_at else None
        try:
            job = self.client.insert(args, priority=random.randint(1, 4), run_at=when, **options)
            self.book.write("accepted", key=key, id=job.id)
        except awa.UniqueConflict:
            self.book.write("refused", key=key)

    def immediate(self):
        def quick(key):
            return jobs.Quick(key, random.uniform(0, 0.05))
        self.insert(quick)

    def scheduled(self):
        def later(key):
            return jobs.Quick(key, 0.01)
        self.insert(later, delay=random.uniform(0.5, 6))

    def slow(self):
        def slow(key):
            return jobs.Slow(key, random.uniform(2, 5))
        self.insert(slow)

    def leased(self):
        def leased(key):
            return jobs.Leased(key, random.uniform(1, 3))
        self.insert(leased)

    def retrying(self):
        def flaky(key):
            return jobs.Flaky(key, random.randint(1, 2))
        self.insert(flaky)

    def doomed(self):
        def doomed(key):
            return jobs.Doomed(key)
        self.insert(doomed, expect="failed", max_attempts=2)

    def stuck(self):
        def stuck(key):
            return jobs.Stuck(key)
        self.insert(stuck, queue=jobs.EXPORTS)

    def answered(self):
        def answered(key):
            return jobs.Parked(key, random.uniform(0.2, 1))
        self.insert(answered)

    def forgotten(self):
        def forgotten(key):
            return jobs.Parked(key, 0.0)
        self.insert(forgotten)

    def given_up(self):
        def given_up(key):
            return jobs.Parked(key, 0.0)
        self.insert(given_up, expect="failed", max_attempts=1)

    def unique(self):
        """Three of one subject while the first still waits: the second and third are refused."""
        subject = f"once-{next(self.numbers)}"
        def once(_):
            return jobs.Once(subject, 0.01)
        self.insert(once, key=subject, delay=1.5, queue="mail", unique_opts=UNIQUE)
        for _ in range(2):
            self.insert(once, expect="refused", delay=1.5, queue="mail", unique_opts=UNIQUE)

    def run(self):
        kinds = ([self.immediate] * 7 + [self.scheduled] * 6 + [self.slow] * 2 + [self.leased] * 2
                 + [self.retrying] * 2 + [self.doomed, self.stuck, self.answered, self.forgotten, self.given_up])
        unique_at = time.monotonic()
        while not self.stopped:
            if time.monotonic() >= unique_at:
                self.unique()
                unique_at = time.monotonic() + 8
            random.choice(kinds)()
            time.sleep(self.pause)
        self.client.close()

    def stop(self, *_):
        self.stopped = True


if __name__ == "__main__":
    producer = Producer(*sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, producer.stop)
    producer.run()
