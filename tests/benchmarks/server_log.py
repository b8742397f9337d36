# SPDX-License-Identifier: Apache-2.0
"""What the server's log says: of the prunes of one login, when it logs every statement of it, and of
waits for locks, when it logs those."""

import re

# log_line_prefix: seconds since 1970, process.
PREFIX = "log_line_prefix = '%n %p '"
LOG_ALL = "ALTER ROLE lockkeeper SET log_min_duration_statement = 0"
_LINE = re.compile(r"^(\d+\.\d+) (\d+) LOG:  duration: (\d+\.\d+) ms  (?:execute|statement)[^:]*: (.*)$")
# Waits of over a millisecond.
LOG_WAITS = "log_lock_waits = on\ndeadlock_timeout = 1ms"
_WAIT = re.compile(r"^(\d+\.\d+) \d+ LOG:  process \d+ acquired (?:AccessShare|RowShare|RowExclusive)Lock"
                   r" on relation .* after (\d+\.\d+) ms")
_COMMENT = re.compile(r"^-- rings/(\w+):")


def lock_waits(path, begin):
    """(when it ended, seconds) of each wait for a table that somebody had locked against reading or
    writing rows, as only what empties it does."""
    with open(path, encoding="utf-8", errors="replace") as log:
        log.seek(begin)
        for found in filter(None, map(_WAIT.match, log)):
            yield float(found[1]), float(found[2]) / 1000


def prunes(path, begin):
    """(ring, seconds from lock to commit, seconds from the first table emptied to the commit) of each
    prune that was committed. The lock counts from its end, what follows it to its own end."""
    open_prunes = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        log.seek(begin)
        for line in log:
            found = _LINE.match(line)
            if not found:
                continue
            at, process, took, text = float(found[1]), found[2], float(found[3]) / 1000, found[4]
            yield from _step(open_prunes, process, at, took, text)


def _step(open_prunes, process, at, took, text):
    comment = _COMMENT.match(text)
    statement = comment[1] if comment else text
    if statement.endswith("_lock"):
        open_prunes[process] = [statement.removesuffix("_lock"), at, None]
    elif process in open_prunes and statement in ("truncate", "delete_rows") and open_prunes[process][2] is None:
        open_prunes[process][2] = at - took
    elif process in open_prunes and statement in ("COMMIT", "ROLLBACK"):
        ring, locked, emptying = open_prunes.pop(process)
        if statement == "COMMIT" and emptying is not None:
            yield ring, at - locked, at - emptying
