# SPDX-License-Identifier: Apache-2.0
"""Jobs that nobody has worked on yet: put in as Awa's clients do it, some with times that have passed since.

Every time is far enough from the moment of the comparison that no leader's pace decides what
happens to a job.
"""

QUEUES = tuple(f"random{n}" for n in range(5))
SHARDED = QUEUES[0]
STEPS = 80
ALONE = 8

INSERT = """
SELECT id FROM awa.insert_job_compat('task', %(queue)s, jsonb_build_object('n', %(n)s::int), %(state)s::awa.job_state,
    %(priority)s::smallint, p_max_attempts => %(most)s::smallint, p_tags => %(tags)s::text[],
    p_run_at => CASE WHEN %(state)s = 'scheduled' THEN now() + interval '1 day' END,
    p_unique_key => convert_to(%(key)s::text, 'UTF8'), p_unique_states => %(mask)s::text::bit(8))
"""
MAKE_DUE = "UPDATE {table} SET run_at = now() - %s * interval '1 minute' WHERE {id} = ANY (%s)"
SHARDS = "INSERT INTO awa.queue_meta (queue, enqueue_shards) VALUES (%s, 3) ON CONFLICT (queue) DO UPDATE SET enqueue_shards = 3"
# The canonical plane raises whatever has waited for a minute: it has, or it would be a matter of luck.
WAITED = "UPDATE awa.jobs_hot SET run_at = now() - interval '1 hour' WHERE state = 'available' AND run_at < now()"


def live(world):
    chance = world.chance
    is_routed = world.is_routed()
    world.session.execute(SHARDS, (SHARDED,))
    jobs = [insert(world, n, chance.choice(QUEUES), chance.choice(("available", "scheduled", "scheduled"))) for n in range(STEPS)]
    jobs += [insert(world, n, f"alone{n}{world.word()}", "scheduled") for n in range(STEPS, STEPS + ALONE)]
    yield
    table, name = ("deferred_jobs", "job_id") if is_routed else ("awa.scheduled_jobs", "id")
    for job in jobs:
        if chance.random() < 0.7:
            world.session.execute(MAKE_DUE.format(table=table, id=name), (chance.randint(1, 600), [job]))
    world.session.execute(WAITED)
    for queue in chance.sample(QUEUES, chance.randint(0, 2)):
        world.operator.pause_queue(queue)


def insert(world, n, queue, state):
    chance = world.chance
    mask = f"{chance.getrandbits(8):08b}" if chance.random() < 0.5 else None
    return world.session.execute(INSERT, {
        "queue": queue, "n": n, "state": state, "priority": chance.randint(1, 4), "most": chance.randint(1, 25),
        "tags": chance.sample(["a", "b", "c"], chance.randint(0, 3)), "mask": mask,
        "key": mask and f"random{n}{world.word()}"}).fetchone()[0]
