# SPDX-License-Identifier: Apache-2.0
"""What a leader has counted beside its declaration windows, in which it makes way for a worker, and outside of
them."""

import threading
import time

from metrics import together

EVERY = 0.2  # seconds between two looks
AFTER = 1.0  # seconds for its first passes, all due at once when it leads again, which prepare their statements
CHANGES = "lockkeeper_leadership_changes_total"
LEADS = "lockkeeper_leader"


class Spans:
    """Told scrape by scrape; what lies between two of them is beside a window if any of it may be."""

    def __init__(self):
        self._last = None  # (time, scrape)
        self._quiet_from = 0.0
        self._found = {True: [], False: []}

    def take(self, at, metrics):
        if not metrics.total(CHANGES):
            return  # it has not answered
        if self._last is not None:
            before, last = self._last
            news = metrics.since(last)
            if not (last.total(LEADS) and metrics.total(LEADS)) or news.total(CHANGES, to="aside"):
                self._quiet_from = at + AFTER
            self._found[before < self._quiet_from].append(news)
        self._last = at, metrics

    def beside(self):
        return together(self._found[True])

    def outside(self):
        return together(self._found[False])


class Watched(threading.Thread):
    """Spans of a daemon, from now on until it is stopped."""

    def __init__(self, daemon):
        super().__init__()
        self._daemon = daemon
        self._spans = Spans()
        self._is_over = threading.Event()
        self.start()

    def run(self):
        self._look()
        while not self._is_over.wait(EVERY):
            self._look()

    def _look(self):
        self._spans.take(time.monotonic(), self._daemon.scrape())

    def stop(self):
        """(what was counted beside windows, what outside of them)"""
        self._is_over.set()
        self.join()
        return self._spans.beside(), self._spans.outside()
