# SPDX-License-Identifier: Apache-2.0
"""In some histories the rings are full before the leaders come: the next slot of each holds what nobody has done yet."""

import tables
from scene import wait_until

FULL = f"SELECT count(*) FROM ({tables.RINGS}) r WHERE ring IN ('queue', 'claim') AND stands_at IS NULL"
QUICK = {f"queue_storage_{ring}_rotate_interval_ms": 20 for ring in ("queue", "lease", "claim")}


def live(world):
    if world.is_routed() and world.has_receipts and world.chance.random() < 0.5:
        with world.worker([{"name": "nothing", "max_workers": 1}], **QUICK):
            wait_until(lambda: world.value(FULL) == 0, 30, "the rings are full")
    yield
