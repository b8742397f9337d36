# SPDX-License-Identifier: Apache-2.0
"""What the server's log says: which statement each leader sent when, and how long the fleet's
claims took. All arms are seen in this way and no other."""

import re

from long import ticks
from long.duties import DUTIES, STEADY

PREFIX = "log_line_prefix = '%n %a|'"
# Every statement of a leader, before it runs; of the fleet's statements one in ten, with its length.
ROLES = """
CREATE ROLE awa_leader LOGIN IN ROLE app;
ALTER ROLE awa_leader SET role = 'app';
ALTER ROLE awa_leader SET log_statement = 'all';
ALTER ROLE lockkeeper SET log_statement = 'all';
ALTER ROLE app SET log_min_duration_sample = 0;
ALTER ROLE app SET log_statement_sample_rate = 0.1;
ALTER SYSTEM SET log_parameter_max_length = 0;
SELECT pg_reload_conf();
"""
_LINE = re.compile(r"^(\d+\.\d+) ([^|]*)\|(\w+):  (.*)$")
_SENT = re.compile(r"^(?:execute|statement)[^:]*: (.*)$")
_TOOK = re.compile(r"^duration: (\d+\.\d+) ms  execute[^:]*: (.*)$")
PROMOTION = next(duty for duty in DUTIES if duty.branch == "promote_scheduled")
AT_ONCE = 0.1  # seconds
_LOCK = re.compile(r"SELECT .*pg_try_advisory_lock\(")
_CLAIM = "awa.claim_ready_runtime("


class Trace:
    """What has been read of one block's part of the log."""

    def __init__(self, leaders):
        """The leaders are names of applications, and whether each is Awa's."""
        self._leaders = leaders
        self.starts = {duty.branch: [] for duty in DUTIES}
        self.terms = {}  # application to what is known of its beginning
        self._locks = {}  # application to its last question for the lock
        self.claims = []  # seconds
        self.fences = 0
        self._before = {}  # application to its last statement
        self._asked = {}  # one that stands by, to when it last looked for due jobs
        self._unclear = {}  # application to a look for due jobs that may be one of who observes

    def read(self, path, begin):
        entry = None
        with open(path, encoding="utf-8", errors="replace") as log:
            log.seek(begin)
            for line in log:
                if line.startswith("\t") and entry:
                    entry[3] += " " + line.strip()
                    continue
                if entry:
                    self._take(*entry)
                found = _LINE.match(line)
                entry = [float(found[1]), found[2], found[3], found[4]] if found else None
        if entry:
            self._take(*entry)
        return self

    def _take(self, at, application, level, text):
        if level == "ERROR" and text.startswith("fence:"):
            self.fences += 1
        if level != "LOG":
            return
        if application in self._leaders:
            sent = _SENT.match(text)
            if sent:
                self._sent(at, application, re.sub(r"\s+", " ", sent[1]).strip())
        elif _CLAIM in text:
            took = _TOOK.match(text)
            if took:
                self.claims.append(float(took[1]) / 1000)

    def anchors(self):
        """From when on the due times of each leader are counted."""
        return [term.anchor() for term in self.terms.values()]

    def _sent(self, at, application, text):
        before, self._before[application] = self._before.get(application, ""), text
        is_awa = self._leaders[application]
        unclear = self._unclear.pop(application, None)
        # Who observes looks at the horizon, at what is due, and at the rings.
        if unclear and not text.startswith("-- observe/rings:"):
            self._begun(unclear, application, PROMOTION.branch)
        if application not in self.terms and _LOCK.match(text):
            self._locks[application] = at
        branch = next((duty.branch for duty in DUTIES if duty.is_begun_by(is_awa, text)), None)
        if branch == PROMOTION.branch and before.startswith("-- observe/look:"):
            self._unclear[application] = at
        elif branch:
            self._begun(at, application, branch)

    def _begun(self, at, application, branch):
        if application not in self.terms and not self._begins(at, application, branch):
            return
        self.starts[branch].append(at)
        if branch in STEADY:
            self.terms[application].start(at)

    def _begins(self, at, application, branch):
        """Whether this is the first pass of a leader."""
        is_promotion = branch == PROMOTION.branch
        if self._leaders[application]:
            first = at - PROMOTION.every  # which Awa lets pass
            is_first = is_promotion
        else:
            # Who stands by looks for due jobs too; one that leads begins with all its branches at once.
            asked = self._asked.get(application, 0)
            first = asked if at - asked < AT_ONCE else at
            is_first = not is_promotion
            if is_promotion:
                self._asked[application] = at
            elif first == asked:
                self.starts[PROMOTION.branch].append(asked)
        if is_first:
            self.terms[application] = ticks.Term(self._locks.get(application, first), first)
        return is_first
