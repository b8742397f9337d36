# SPDX-License-Identifier: Apache-2.0
"""What a leader says with NOTIFY: to the workers of a queue, or to that of a single attempt."""

import json

# Wherever a job may stand or go to.
QUEUES = """
SELECT DISTINCT queue FROM (
    SELECT queue FROM deferred_jobs UNION ALL SELECT queue FROM ready_entries UNION ALL SELECT queue FROM leases
    UNION ALL SELECT queue FROM awa.jobs_hot UNION ALL SELECT queue FROM awa.scheduled_jobs
    UNION ALL SELECT queue FROM awa.cron_jobs UNION ALL SELECT spec ->> 'queue' FROM awa.batch_operations) q
WHERE queue IS NOT NULL
"""
# Queues in which one job arrives: how many messages say so is no matter of how work is cut into transactions.
ALONE = "awa:alone"
CANCEL = "awa:cancel"


class Listener:
    def __init__(self, session):
        """The session is the listener's own."""
        self.session = session
        self.heard = []
        queues = [row[0] for row in session.execute(QUEUES)]
        for channel in [CANCEL] + [f"awa:{queue}" for queue in queues]:
            session.execute(f'LISTEN "{channel}"')

    def rows(self):
        """Each message since the last call; several of a shared queue count as one."""
        self.hear()
        heard, self.heard = self.heard, []
        counted = [each for each in heard if each[0].startswith((ALONE, CANCEL))]
        return [{"channel": channel, "payload": plain(channel, payload)}
                for channel, payload in counted + sorted(set(heard) - set(counted))]

    def hear(self):
        """Whatever has been sent; the connection hands it out piece by piece."""
        while True:
            piece = [(notice.channel, notice.payload) for notice in self.session.notifies(timeout=0.2)]
            if not piece:
                return
            self.heard += piece


def plain(channel, payload):
    return json.loads(payload) if channel == CANCEL else payload
