# SPDX-License-Identifier: Apache-2.0
"""Whether the database that a block leaves behind is sound; and whether these checks would have seen it
if it were not: each sentence has a fault that is planted, looked for, and taken back."""

import pathlib

import psycopg
from long.mutants import CANONICAL_MUTANTS, MUTANTS

SUPPORT = pathlib.Path(__file__).resolve().parents[2] / "support"
LIMIT = "120s"  # of one sentence
# Awa's view of what has ended joins each closed claim with each ready row first, if the planner may choose.
PLANS = "SET jit = off; SET join_collapse_limit = 1"


def install(session):
    """The views of the sentences, and the fence around every table."""
    for name in ("receipts", "views"):
        session.execute((SUPPORT / "invariants" / f"{name}.sql").read_text(encoding="utf-8"))
    session.execute((SUPPORT / "fence.sql").read_text(encoding="utf-8"))


def sentences():
    """{sentence: the statement whose rows break it}"""
    texts = [(SUPPORT / "invariants" / f"{name}.sql").read_text(encoding="utf-8") for name in ("attempts", "jobs", "queues")]
    parts = [part.strip() for text in texts for part in text.split("\n\n") if "\n" in part.strip()]
    return dict(part.removeprefix("-- ").split("\n", 1) for part in parts)


def broken(session):
    """The sentences that do not hold, each with its first example."""
    found = []
    session.execute(f"SET statement_timeout = '{LIMIT}'; {PLANS}")
    for sentence, statement in sentences().items():
        try:
            row = session.execute(statement).fetchone()
        except psycopg.errors.QueryCanceled:
            found.append(f"{sentence}: not known after {LIMIT}")
            continue
        if row:
            found.append(f"{sentence}: {row}")
    session.execute("SET statement_timeout = 0")
    return found


def missed_mutants(session):
    """The planted faults that no check sees; the session is outside a transaction, and a superuser's."""
    session.execute(PLANS)
    missed = []
    statements = sentences()
    for sentence, fault in (*MUTANTS.items(), *CANONICAL_MUTANTS.items()):
        with session.transaction(force_rollback=True):
            session.execute(fault)
            if session.execute(statements[sentence]).fetchone() is None:
                missed.append(sentence)
    return missed


def is_fence_shut(url):
    """Whether the daemon's login is refused a write without the lock."""
    with psycopg.connect(url, autocommit=True) as session:
        try:
            session.execute("DELETE FROM awa.deferred_jobs WHERE job_id < 0")
        except psycopg.errors.RaiseException:
            return True
    return False
