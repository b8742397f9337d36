# SPDX-License-Identifier: Apache-2.0
"""What workers leave of themselves: their rows, and the descriptors of their queues and kinds. Some are old."""

AGED = {
    "runtime_instances": ("instance_id", "hour", (1, 23, 25, 700)),
    "queue_descriptors": ("queue", "day", (1, 29, 31, 300)),
    "job_kind_descriptors": ("kind", "day", (1, 29, 31, 300)),
}
KEYS = "SELECT {key} FROM awa.{table} ORDER BY 1"
AGE = "UPDATE awa.{table} SET last_seen_at = now() - %s * interval '1 {unit}' WHERE {key} = %s"


def live(world):
    yield
    for table, (key, unit, ages) in AGED.items():
        for each in world.column(KEYS.format(key=key, table=table)):
            world.session.execute(AGE.format(key=key, table=table, unit=unit), (world.chance.choice(ages), each))
