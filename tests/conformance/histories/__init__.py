# SPDX-License-Identifier: Apache-2.0
"""Random histories: each module adds jobs of one kind to a world, what and how many by its chance alone.

A part is a generator. Before its yield a worker leads, as long as one is needed; after it stands
what the leaders that are compared are to find.
"""

from histories import attempts, cron, jobs, letters, operations, rings, traces
from histories.storage import ROADS

PARTS = (operations.live, attempts.live, letters.live, cron.live, jobs.live, rings.live, traces.live)


def live(world, road, others=()):
    for part in ROADS[road](world, (*others, *PARTS)):
        next(part, None)
