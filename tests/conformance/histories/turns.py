# SPDX-License-Identifier: Apache-2.0
"""Turns that the storage takes while it is led, by Awa's own command line; done alike to each copy once its leader has settled."""

import children

MORE = """
SELECT count(awa.insert_job_compat('task', 'random' || n %% 5, jsonb_build_object(%(turn)s::text, n),
    (CASE n %% 3 WHEN 0 THEN 'available' ELSE 'scheduled' END)::awa.job_state, (1 + n %% 4)::smallint,
    p_run_at => CASE WHEN n %% 3 > 0 THEN timestamptz '2100-01-01' END,
    p_unique_key => CASE WHEN n %% 4 = 0 THEN convert_to(%(turn)s || n, 'UTF8') END,
    p_unique_states => CASE WHEN n %% 4 = 0 THEN B'11111000' END))
FROM generate_series(1, 60) n
"""
MAKE_DUE = """
UPDATE {table} SET run_at = timestamptz '2020-01-01' WHERE args ? %(turn)s AND (args ->> %(turn)s)::int %% 3 = %(rest)s
"""
# As in the parts of a history, nothing is raised or not raised by luck. A time that is chosen is the same in every copy.
STILL = "UPDATE awa.jobs_hot SET run_at = timestamptz '2100-01-01' WHERE state = 'available' AND args ? %(turn)s"
GONE = "DELETE FROM awa.runtime_instances WHERE transition_role = 'queue_storage_target'"
# The last jobs of the canonical plane, as their workers and an operator would leave them.
DRAIN = """
WITH waiting AS (DELETE FROM awa.scheduled_jobs RETURNING *), cancelled AS (
    INSERT INTO awa.jobs_hot SELECT (jsonb_populate_record(NULL::awa.jobs_hot,
        to_jsonb(w) || jsonb_build_object('state', 'cancelled', 'run_at', now(), 'finalized_at', now()))).* FROM waiting w)
UPDATE awa.jobs_hot SET state = 'completed', finalized_at = now() WHERE state NOT IN ('completed', 'failed', 'cancelled')
"""


def add_jobs(scene, turn):
    """Jobs by which the turn is known: some can be worked on, and the others wait in two parts."""
    scene.app.execute(MORE, {"turn": turn})


def keep_still(scene, turn):
    scene.app.execute(STILL, {"turn": turn})


def make_due(scene, table, turn, rest=1):
    scene.admin.execute(MAKE_DUE.format(table=table), {"turn": turn, "rest": rest})


def enter(scene):
    """From the canonical plane into the transition."""
    scene.prepare_storage()
    scene.storage("enter-mixed-transition")
    add_jobs(scene, "entered")
    make_due(scene, "deferred_jobs", "entered")


def abort(scene):
    """From a prepared storage back to the canonical plane alone."""
    scene.storage("abort")
    add_jobs(scene, "aborted")
    keep_still(scene, "aborted")


def enter_unused(scene):
    """Into a transition that can be given up: nothing is put into the new plane, and work of the old one falls due."""
    add_jobs(scene, "tried")
    keep_still(scene, "tried")
    worker = scene.prepare_storage()
    scene.storage("enter-mixed-transition")
    children.stop(worker)
    scene.app.execute(GONE)
    make_due(scene, "awa.scheduled_jobs", "tried")


def give_up(scene):
    """Out of such a transition, back to the canonical plane alone."""
    scene.storage("abort")
    make_due(scene, "awa.scheduled_jobs", "tried", rest=2)


def finalize(scene):
    """Out of the transition into queue storage alone."""
    scene.app.execute(DRAIN)
    scene.storage("finalize")
    add_jobs(scene, "finalized")
    make_due(scene, "deferred_jobs", "finalized")
