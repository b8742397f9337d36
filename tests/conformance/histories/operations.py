# SPDX-License-Identifier: Apache-2.0
"""Batch operations of every kind, on jobs that nothing else happens to: fresh, half done, cancelled, finished, too old.

What an operation names must not depend on how fast a leader promotes, so none of its jobs falls due.
"""

import contextlib
import datetime
import json

import awa
from scene import wait_until

QUEUES = tuple(f"ops{n}" for n in range(4))
KINDS = ("ops_mail", "ops_page", "ops_call")
TAGS = ("ops_red", "ops_blue")
STEPS = 160
OPERATIONS = 9

INSERT = """
SELECT id FROM awa.insert_job_compat(%(kind)s, %(queue)s, jsonb_build_object('n', %(n)s::int), %(state)s::awa.job_state,
    %(priority)s::smallint, p_tags => %(tags)s::text[], p_metadata => jsonb_build_object('m', %(n)s::int),
    p_run_at => CASE WHEN %(state)s = 'scheduled' THEN now() + interval '2 days' END,
    p_unique_key => CASE WHEN %(n)s::int %% 3 = 0 THEN convert_to('ops' || %(n)s::int || %(word)s, 'UTF8') END,
    p_unique_states => CASE WHEN %(n)s::int %% 3 = 0 THEN B'11111000' END)
"""
STATE = "SELECT state FROM awa.batch_operations WHERE id = %s"
PROCESSED = "SELECT processed > 0 FROM awa.batch_operations WHERE id = %s"
AGE = "UPDATE awa.batch_operations SET retention_until = now() - interval '1 hour' WHERE id = %s"
# What waits in the canonical plane is raised some day: not these, or it would be a matter of luck what an operation finds.
STILL = "UPDATE awa.jobs_hot SET run_at = now() + interval '1 day' WHERE state = 'available' AND queue LIKE 'ops%'"


def live(world):
    chance = world.chance
    jobs = [insert(world, n) for n in range(STEPS)]
    finished = [submit(world, jobs) for _ in range(3)]
    with world.worker([{"name": "nothing", "max_workers": 1}]):
        for operation in finished:
            wait_until(lambda: world.value(STATE, operation) == "completed", 30, "the operation is done")
        cut = submit_priority(world, {"created_at_gte": "2020-01-01T00:00:00Z"})
        wait_until(lambda: world.value(PROCESSED, cut), 30, "the operation has begun")
        with contextlib.suppress(awa.ValidationError):  # it may have come to its end meanwhile
            world.operator.cancel_batch_operation(cut)
    yield
    world.session.execute(STILL)
    world.session.execute(AGE, (chance.choice(finished),))
    fresh = [submit(world, jobs) for _ in range(OPERATIONS)]
    for operation in chance.sample(fresh, 2):
        world.operator.cancel_batch_operation(operation)


def insert(world, n):
    chance = world.chance
    return world.session.execute(INSERT, {
        "kind": chance.choice(KINDS), "queue": chance.choice(QUEUES), "n": n, "word": world.word(), "priority": chance.randint(1, 4),
        "state": chance.choice(("available", "available", "scheduled")), "tags": chance.sample(TAGS, chance.randint(0, 2)),
    }).fetchone()[0]


def filter_of(chance, jobs):
    """Words that only the jobs of this module answer to."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return chance.choice((
        {"queue": chance.choice(QUEUES)}, {"kind": chance.choice(KINDS)}, {"tag": chance.choice(TAGS)},
        {"ids": chance.sample(jobs, 12)}, {"ids": [10**9]}, {"queue": chance.choice(QUEUES), "state": "available"},
        {"kind": chance.choice(KINDS), "state": "scheduled"},
        {"kind": chance.choice(KINDS), "queue": chance.choice(QUEUES), "tag": chance.choice(TAGS)},
        {"queue": chance.choice(QUEUES), "created_at_lt": now.isoformat()},
        {"queue": chance.choice(QUEUES), "created_at_gte": now.isoformat()}))


def submit(world, jobs):
    """By the library, or by the command line."""
    chance = world.chance
    chosen = filter_of(chance, jobs)
    if chance.random() < 0.5:
        return submit_priority(world, chosen)
    spec = {"queue": chance.choice(QUEUES + ("ops_new", "ops_newer"))}
    if chance.random() < 0.5:
        spec["priority"] = chance.randint(1, 4)
    if chance.random() < 0.3:
        said = world.cli("batch-ops", "submit", "--op-kind", "move_queue", "--spec", json.dumps(spec),
                         "--filter", json.dumps(chosen), "--submitted-by", "somebody")
        return json.loads(said)["id"]
    return world.operator.move_queue(spec["queue"], priority=spec.get("priority"), filter=chosen)["id"]


def submit_priority(world, chosen):
    return world.operator.set_priority(world.chance.randint(1, 4), filter=chosen)["id"]
