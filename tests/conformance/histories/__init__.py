# SPDX-License-Identifier: Apache-2.0
"""Random histories: each module adds jobs of one kind to a world, what and how many by its chance alone."""

from histories import attempts, cron, jobs, letters


def live(world):
    for part in (jobs, cron, attempts, letters):
        part.live(world)
