# SPDX-License-Identifier: Apache-2.0
"""Turns that the storage takes while it is led, by Awa's own command line; done alike to each copy once its leader has settled."""

MORE = """
SELECT count(awa.insert_job_compat('task', 'random' || n %% 5, jsonb_build_object('later', n),
    (CASE n %% 3 WHEN 0 THEN 'available' ELSE 'scheduled' END)::awa.job_state, (1 + n %% 4)::smallint,
    p_run_at => CASE WHEN n %% 3 > 0 THEN timestamptz '2100-01-01' END,
    p_unique_key => CASE WHEN n %% 4 = 0 THEN convert_to('later' || n, 'UTF8') END,
    p_unique_states => CASE WHEN n %% 4 = 0 THEN B'11111000' END))
FROM generate_series(1, 60) n
"""
MAKE_DUE = "UPDATE {table} SET run_at = timestamptz '2020-01-01' WHERE args ? 'later' AND (args ->> 'later')::int %% 3 = 1"
# As in the parts of a history, nothing is raised or not raised by luck. A time that is chosen is the same in every copy.
STILL = "UPDATE awa.jobs_hot SET run_at = timestamptz '2100-01-01' WHERE state = 'available' AND args ? 'later'"


def add_jobs(scene, table):
    scene.app.execute(MORE.replace("%%", "%"))
    scene.app.execute(MAKE_DUE.format(table=table).replace("%%", "%"))


def enter(scene):
    """From the canonical plane into the transition."""
    scene.prepare_storage()
    scene.storage("enter-mixed-transition")
    add_jobs(scene, "awa.deferred_jobs")


def abort(scene):
    """From a prepared storage back to the canonical plane alone."""
    scene.storage("abort")
    scene.app.execute(MORE.replace("%%", "%"))
    scene.app.execute(STILL)
