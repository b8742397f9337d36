# SPDX-License-Identifier: Apache-2.0
"""The rows of tables.py as plain values: equal where two leaders did the same at different moments.

A moment since the leaders began is `now`. One that is still to come says how it follows from the
moment of the deed, where the leader chose it; otherwise it stood there before, and stands as it is.
"""

import datetime

from tables import VIEWS

# A row's place, not its content.
PLACES = {"ready_slot", "ready_generation", "claim_slot", "lease_slot", "lease_generation", "lane_seq", "batch_id",
          "enqueue_shard", "receipt_id"}
AGED = "_awa_original_priority"
DAY = 86400
TOLERANCE = 2.0  # seconds between two clock readings of one deed


def is_back_off(seconds, attempt):
    """Awa's rule: 2 to the attempt, up to a quarter more, a day at most."""
    least = min(2.0 ** attempt, DAY)
    most = min(2.0 ** attempt * 1.25, DAY)
    return least - TOLERANCE <= seconds <= most + TOLERANCE


def wait_of(row, seconds):
    """What a leader has put off for so long since it dealt with the row."""
    if row.get("state") == "retryable" and is_back_off(seconds, row["attempt"]):
        return "back-off"
    return f"{round(seconds / 10) * 10} s later"


class Reader:
    """Reads a database in which leaders began to work at a moment of its clock."""

    def __init__(self, session, began):
        self.session = session
        self.began = began
        self.now = began

    def read_all(self):
        result = {view: self.read(view) for view in VIEWS}
        return result

    def read(self, view):
        """The rows of one view as dictionaries, in an order of their own."""
        cursor = self.session.execute(VIEWS[view])
        self.now = datetime.datetime.now(datetime.timezone.utc)  # of the same machine
        names = [column.name for column in cursor.description]
        rows = [self.plain_row({name: value for name, value in zip(names, row) if name not in PLACES})
                for row in cursor.fetchall()]
        return sorted((without_chance(row) for row in rows), key=str)

    def plain_row(self, row):
        chosen = {}
        if AGED in (row.get("metadata") or {}) and row["run_at"] >= self.began:
            row = unaged(row)  # its minute of waiting may be over or not
        done = row.get("finalized_at")
        if done is not None and done >= self.began:
            names = ("run_at",) if row.get("state") == "retryable" else ("retention_until",)  # what its end has put off
            chosen = {name: wait_of(row, (row[name] - done).total_seconds()) for name in names
                      if row.get(name) is not None and row[name] > self.now}
        return {name: self.plain(value) for name, value in row.items()} | chosen

    def plain(self, value):
        if isinstance(value, datetime.datetime):
            return "now" if self.began <= value <= self.now else value.isoformat()
        if isinstance(value, dict):
            return {key: self.plain_at(each) if key == "at" else self.plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)

    def plain_at(self, text):
        """The moment in an error entry."""
        try:
            return self.plain(datetime.datetime.fromisoformat(text))
        except (TypeError, ValueError):
            return text


def unaged(row):
    """A canonical job as it was before its priority was raised."""
    metadata = dict(row["metadata"])
    return {**row, "priority": metadata.pop(AGED), "metadata": metadata}


def without_chance(row):
    """Without what may differ and means the same."""
    if isinstance(row.get("payload"), dict):
        row["payload"] = compact(row["payload"]) or None
    metadata = (row.get("payload") or {}).get("metadata") or row.get("metadata") or {}
    if "cron_name" in metadata:
        row = {**row, **{name: None for name in ("id", "job_id") if name in row}}  # whichever schedule came first
    return row


def compact(payload):
    """Awa's clients leave out what is empty, its SQL function writes it; both mean the same."""
    return {key: value for key, value in payload.items() if value not in (None, [], {})}
