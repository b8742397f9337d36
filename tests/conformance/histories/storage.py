# SPDX-License-Identifier: Apache-2.0
"""How a database has come to the storage that it has: by Awa's own command line, with workers of its time.

A road is a function: it goes through the states of the transition, lets the parts of a history
begin wherever they should, and returns them. What they leave for the leaders comes at the end.
"""

import json

from histories import attempts, turns

ROADS = {}

# A worker that has ended is taken for a living one for a minute and a half.
LONG_GONE = "UPDATE awa.runtime_instances SET last_seen_at = now() - interval '1 hour'"
INSTALL = "SELECT awa.install_queue_storage_substrate(%s, %s, %s, %s, %s)"
# In a transition Awa's workers take a job of one plane for that of the other with the same number.
APART = "SELECT setval('job_id_seq', 100000)"


def road(function):
    ROADS[function.__name__] = function
    return function


def begin(world, parts):
    begun = [part(world) for part in parts]
    for part in begun:
        next(part)
    return begun


def prepare(world):
    """A schema of queue storage that nobody uses yet; Awa's own, or another one with rings of other sizes, perhaps without receipts."""
    chance = world.chance
    schema = chance.choice(("awa", "river"))
    if schema != "awa":
        slots = {"queue": chance.randint(4, 20), "lease": chance.randint(2, 10), "claim": chance.randint(2, 10)}
        has_receipts = chance.random() < 0.6
        world.value(INSTALL, schema, *slots.values(), has_receipts)  # the command line knows of two rings only
        world.use_schema(schema, has_receipts, **slots)
    world.cli("storage", "prepare", "--engine", "queue_storage", "--details", json.dumps({"schema": schema}))


def enter(world):
    world.session.execute(LONG_GONE)
    world.cli("storage", "enter-mixed-transition", "--quiesced")


@road
def active(world, parts):
    """Queue storage from the first day; its oldest slots can be pruned."""
    world.value("SELECT awa.storage_auto_finalize_if_fresh('awa')")
    return begin(world, (attempts.ended, *parts))


@road
def canonical(world, parts):
    """Then the transition begins, is given up and begins again, under a leader that has begun before it."""
    world.turns = (turns.enter_unused, turns.give_up, turns.enter)
    return begin(world, parts)


@road
def prepared(world, parts):
    """Then the preparation is given up, under its leader."""
    world.turns = (turns.abort,)
    begun = begin(world, parts)
    prepare(world)
    return begun


@road
def mixed_transition(world, parts):
    """Live work in both planes; then the canonical one is drained and left, under its leader."""
    world.turns = (turns.finalize,)
    begun = begin(world, parts)
    prepare(world)
    enter(world)
    world.value(APART)
    return begun + begin(world, (attempts.ended, *parts))


@road
def aborted(world, parts):
    prepare(world)
    enter(world)
    world.cli("storage", "abort")
    return begin(world, parts)


@road
def finalized(world, parts):
    """Of the canonical plane, ended jobs are left."""
    begun = begin(world, (attempts.ended,))
    prepare(world)
    enter(world)
    world.cli("storage", "finalize")
    return begun + begin(world, parts)
