# SPDX-License-Identifier: Apache-2.0
"""What a branch costs that finds nothing to do: each alone in a daemon, twenty times a second."""

import json
import time

import children
import load
from daemon import PROGRAM
from figure import Row
from scene import database_clock

TITLE = "an empty pass of a branch"
EVERY = "50ms"
SECONDS = 5
NEVER_EMPTY = ("registration", "observe", "diagnose")
A_PAGE = 1.0  # bytes: reading tidies up a page now and then, and what that writes is spread over the passes
STATEMENTS = """
SELECT s.query, s.calls, s.wal_bytes::bigint FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
WHERE r.rolname IN ('lockkeeper', 'app')
"""
# Reading it uses none up.
NEXT_TRANSACTION = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


def branches():
    """Every branch that the program has."""
    listed = json.loads(children.run([PROGRAM, "branches", "--json"]))
    return [each["branch"] for each in listed["branches"]]


def only(branch):
    return "\n".join(f"[branches.{each}]\n" + (f'every = "{EVERY}"' if each == branch else "enabled = false")
                     for each in branches())


def statements(scene):
    """{text: (calls, bytes of WAL)}"""
    return {query: (calls, wal) for query, calls, wal in scene.admin.execute(STATEMENTS)}


def watch(bench, branch):
    """Over a while: passes, turns, statements, transaction ids of the whole server. `None` is no branch."""
    with bench.scene() as scene:
        daemon = scene.lead(only(branch))
        load.defer(scene, 100, database_clock(scene.app) + 3600)
        scene.settle()
        scene.admin.execute("SELECT pg_stat_statements_reset()")
        before = daemon.scrape()
        next_before = scene.value(NEXT_TRANSACTION)
        time.sleep(bench.scaled(SECONDS))
        transactions = scene.value(NEXT_TRANSACTION) - next_before
        metrics = daemon.scrape().since(before)
        passes = metrics.total("lockkeeper_branch_passes_total", branch=branch)
        turns = metrics.total("lockkeeper_turns_total", branch=branch)
        return passes, turns, statements(scene), transactions


def rows(branch, passes, turns, calls, wal, transactions):
    """Of one pass. A branch that looks at many things takes a turn for each, and others go between them."""
    def row(what, unit, amount, most):
        return Row(f"{branch}: {what}", unit, round(amount / passes, 2) if passes else None,
                   most=None if branch in NEVER_EMPTY else most)

    if turns < 1.5 * passes:
        yield row("statements", "", calls, most=1)
    else:
        each = round(turns / passes, 1)
        yield row(f"statements of its {each:g} turns", "", calls, most=each)
    yield row("WAL", "bytes", wal, most=A_PAGE)
    yield row("transaction ids", "", transactions, most=0)


def measure(bench):
    with bench.quiet_server():
        bench.say("no branch at all")
        _, _, machinery, _ = watch(bench, None)
        table = []
        for branch in branches():
            bench.say(branch)
            passes, turns, found, transactions = watch(bench, branch)
            own = [counts for query, counts in found.items() if query not in machinery]
            calls, wal = (sum(column) for column in zip(*own)) if own else (0, 0)
            table += rows(branch, passes, turns, calls, wal, transactions)
    return table
