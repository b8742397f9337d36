# SPDX-License-Identifier: Apache-2.0
"""Dead letters: failed jobs that an operator has moved, retried, purged or left lying about until they are too old."""

from scene import wait_until

QUEUE = "letters"
STEPS = 24

INSERT = """
SELECT awa.insert_job_compat('task', %s, '{"do": "fail"}', p_priority => %s::smallint, p_max_attempts => 1::smallint, p_tags => %s::text[])
"""
FAILED = "SELECT count(*) FROM done_entries WHERE queue = %s AND state = 'failed'"
LETTERS = "SELECT job_id FROM dlq_entries WHERE queue = %s ORDER BY 1"
AGE = "UPDATE dlq_entries SET dlq_at = now() - %s * interval '1 day' WHERE job_id = %s"


def live(world):
    chance = world.chance
    if not world.is_routed():  # the canonical plane has none
        yield
        return
    for _ in range(STEPS):
        world.session.execute(INSERT, (QUEUE, chance.randint(1, 4), chance.sample(["move", "purge", "retry"], 2)))
    with world.worker([{"name": QUEUE, "max_workers": 50}]):
        wait_until(lambda: world.value(FAILED, QUEUE) == STEPS, 30, "all letters have failed")
    yield
    handle(world)


def handle(world):
    """As operators do it, one by one and by the tag; what is left grows old."""
    chance = world.chance
    world.operator.bulk_move_failed_to_dlq(queue=QUEUE, reason="by hand")
    for job in chance.sample(world.column(LETTERS, QUEUE), 4):
        world.operator.retry_from_dlq(job, priority=chance.randint(1, 4), queue="letters_again")
    for job in chance.sample(world.column(LETTERS, QUEUE), 2):
        world.operator.purge_dlq_job(job)
    if chance.random() < 0.3:
        world.cli("dlq", "purge", "--queue", QUEUE, "--tag", "purge")
    if chance.random() < 0.3:
        world.cli("dlq", "retry-bulk", "--queue", QUEUE, "--tag", "retry")
    for job in world.column(LETTERS, QUEUE):
        world.session.execute(AGE, (chance.choice((0, 29, 31, 200)), job))
