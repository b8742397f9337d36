# SPDX-License-Identifier: Apache-2.0
"""How late each due time was answered, on a schedule that nobody's lateness moves.

A branch is due every so many seconds, counted from the moment at which its leader began; while
nobody leads, the schedule of the last leader goes on. A due time is answered by the first pass that
starts at or after it. One that is not answered before the next one has never run; it counts with
the time until a pass did start, or until the block ended.
"""

import bisect

from figure import quantile

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # seconds
LATE = 0.1  # seconds: what people begin to notice
EARLY = 0.05  # seconds, or a twentieth of the interval: so far a schedule may be found amiss
STEADY_EVERY = 1.0  # seconds; of the branches whose starts show the schedule
LOOKED_AT = 400  # of their starts
UNHEEDED = 0.05  # of them: one that is almost a whole interval late looks early


class Term:
    """Where the schedule of one leader lies: after it asked for the lock, and so that its passes are
    not early."""

    def __init__(self, lock, first):
        """The first: when its first promotion would have been due, had that not been late."""
        self._lock = lock
        self._first = first
        self._starts = []

    def start(self, at):
        """Of a branch that is due once a second by its interval alone."""
        if len(self._starts) < LOOKED_AT:
            self._starts.append(at)

    def anchor(self):
        after_due = quantile([(at - self._lock) % STEADY_EVERY for at in self._starts], UNHEEDED)
        return min(self._first, self._lock + (STEADY_EVERY if after_due is None else after_due))


def due_times(terms, every, begin, end):
    """Those within the window; the terms are the moments at which leaders began."""
    ordered = sorted(terms)
    for term, until in zip(ordered, [*ordered[1:], end]):
        number = 1
        while term + number * every < until:
            if term + number * every >= begin:
                yield term + number * every
            number += 1


def answers(starts, dues, every, end):
    """(seconds late, whether it ran before the next one) of each due time."""
    ordered = sorted(starts)
    for due in dues:
        place = bisect.bisect_left(ordered, due - min(EARLY, every / 20))
        start = ordered[place] if place < len(ordered) else None
        if start is None:
            # The block ends before anybody can say that it was missed.
            if due + every <= end:
                yield end - due, False
            continue
        late = max(0.0, start - due)
        yield late, late < every


def summary(found):
    """What is kept of the due times of one branch in one block."""
    late = [each for each, _ in found]
    return {
        "due": len(found),
        "late": sum(each > LATE for each in late),
        "never_ran": sum(not ran for _, ran in found),
        "p50_ms": thousandfold(quantile(late, 0.5)),
        "p99_ms": thousandfold(quantile(late, 0.99)),
        "max_ms": thousandfold(quantile(late, 1)),
        "histogram": histogram(late),
    }


def histogram(values):
    """How many lie within each of the bounds and above all lower ones; the last lie above all."""
    counts = [0] * (len(BOUNDS) + 1)
    for value in values:
        counts[bisect.bisect_left(BOUNDS, value)] += 1
    return counts


def thousandfold(seconds):
    return None if seconds is None else round(seconds * 1000, 1)
