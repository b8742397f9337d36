# SPDX-License-Identifier: Apache-2.0
"""A random history on top of the filled database: the same seed makes the same one.

Jobs are put in as Awa's clients do it, some with times that have passed since. Every time is far
enough from the moment of the comparison that no leader's pace decides what happens to a job.
"""

import random

import awa

QUEUES = tuple(f"random{n}" for n in range(5))
STEPS = 120

INSERT = """
SELECT id FROM awa.insert_job_compat('task', %(queue)s, jsonb_build_object('n', %(n)s::int), %(state)s::awa.job_state,
    %(priority)s::smallint, p_max_attempts => %(most)s::smallint, p_tags => %(tags)s::text[],
    p_run_at => CASE WHEN %(state)s = 'scheduled' THEN now() + interval '1 day' END,
    p_unique_key => CASE WHEN %(mask)s::text IS NOT NULL THEN convert_to('random' || %(n)s::int, 'UTF8') END,
    p_unique_states => %(mask)s::text::bit(8))
"""
CANONICAL = """
INSERT INTO awa.scheduled_jobs (kind, queue, args, state, priority, attempt, run_lease, run_at)
VALUES ('task', 'canonical', jsonb_build_object('n', %(n)s::int), %(state)s::awa.job_state, %(priority)s::smallint, 1, 1,
    now() + %(hours)s * interval '1 hour')
"""
MAKE_DUE = "UPDATE awa.deferred_jobs SET run_at = now() - %s * interval '1 minute' WHERE job_id = %s"


def insert(chance, session, n):
    """A job in one of the queues; a scheduled one may have become due since."""
    state = chance.choice(("available", "scheduled", "scheduled"))
    mask = f"{chance.getrandbits(8):08b}" if chance.random() < 0.5 else None
    row = session.execute(INSERT, {
        "queue": chance.choice(QUEUES), "n": n, "state": state, "priority": chance.randint(1, 4),
        "most": chance.randint(1, 25), "tags": chance.sample(["a", "b", "c"], chance.randint(0, 3)), "mask": mask}).fetchone()
    minutes = chance.randint(1, 600)
    if state == "scheduled" and chance.random() < 0.7:
        session.execute(MAKE_DUE, (minutes, row[0]))


def insert_canonical(chance, session, n):
    session.execute(CANONICAL, {"n": 1000 + n, "state": chance.choice(("scheduled", "retryable")),
                                "priority": chance.randint(1, 4), "hours": chance.choice((-30, -2, -1, 5, 24))})


def live(session, url, seed):
    """All steps of the history with this seed."""
    chance = random.Random(seed)
    for n in range(STEPS):
        step = insert if chance.random() < 0.8 else insert_canonical
        step(chance, session, n)
    operator = awa.Client(url, max_connections=1)
    for queue in chance.sample(QUEUES, chance.randint(0, 2)):
        operator.pause_queue(queue)
    operator.close()
