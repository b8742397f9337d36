# SPDX-License-Identifier: Apache-2.0
"""Attempts of all kinds, left by a worker that was killed: receipts of both kinds, leases, progress, callbacks.

What no interface makes quickly is made here by moving times into the past: an attempt without a
heartbeat, one beyond its deadline, a callback that never came.
"""

import collections

import tables
from scene import wait_until

ROW_LOCAL = "tries_rows"  # attempts with a deadline, so their receipts are rows
COMPACT = "tries_batches"
QUEUES = [ROW_LOCAL, COMPACT]
SUPERSEDED = "11001000"  # does not claim its key while it runs
HOUR = 3600
STEPS = 60

OPEN = ("hang", "progress", "lease", "advance")  # to advance is to have a lease and progress
ENDINGS = ("complete", "cancel", "fail")
DEEDS = ("complete", "fail", "cancel", "retry", "snooze", "park", "park", "park") + OPEN * 2
FATES = ("stale", "stale", "late", "fresh")
ANSWERS = ("expired", "expired", "silent", "complete", "fail", "retry", "resume")

INSERT = """
SELECT id FROM awa.insert_job_compat('task', %(queue)s, jsonb_build_object('do', %(do)s::text), p_priority => %(priority)s::smallint,
    p_max_attempts => %(most)s::smallint, p_metadata => jsonb_build_object('n', %(n)s::int),
    p_tags => %(tags)s::text[], p_unique_key => convert_to(%(key)s::text, 'UTF8'),
    p_unique_states => %(mask)s::text::bit(8))
"""
# A rescued job waits for hours, and stands where it can be compared; or for two seconds.
TRIED_BEFORE = "UPDATE {jobs} SET attempt = 11 + {id} %% 20, max_attempts = 60 WHERE max_attempts > 2 AND queue = ANY (%s)"
NEWER = """
SELECT awa.insert_job_compat('task', 'newer', '{{}}', p_unique_key => unique_key, p_unique_states => B'11111000')
FROM {jobs} WHERE {id} = %s
"""
CALLBACK = "SELECT callback_id FROM {attempts} WHERE {id} = %s"
ENDED = "UPDATE awa.jobs_hot SET finalized_at = now() - %s * interval '1 hour' WHERE id = %s AND finalized_at IS NOT NULL"
QUEUE_STORAGE = {"jobs": "ready_entries", "attempts": "leases", "id": "job_id"}
CANONICAL = {"jobs": "awa.jobs_hot", "attempts": "awa.jobs_hot", "id": "id"}

# What a worker has claimed without a receipt is told from what waits by where it is now.
IN_QUEUE_STORAGE = f"""
SELECT (SELECT count(*) FROM ({tables.AVAILABLE}) a WHERE queue = ANY (%(queues)s) AND job_id NOT IN (
        SELECT job_id FROM leases UNION ALL SELECT job_id FROM deferred_jobs UNION ALL SELECT job_id FROM done_entries)) AS available,
    (SELECT count(*) FROM ({tables.OPEN_RECEIPTS}) o WHERE queue = ANY (%(queues)s)) AS open,
    (SELECT count(*) FROM leases WHERE state = 'running' AND queue = ANY (%(queues)s)) AS lease,
    (SELECT count(*) FROM leases WHERE state = 'waiting_external' AND queue = ANY (%(queues)s)) AS park,
    (SELECT count(*) FROM attempt_state WHERE progress IS NOT NULL AND job_id = ANY (%(jobs)s)) AS progress
"""
IN_CANONICAL = """
SELECT count(*) FILTER (WHERE state = 'available') AS available,
    count(*) FILTER (WHERE state IN ('running', 'waiting_external')) AS open,
    count(*) FILTER (WHERE state = 'running' AND callback_id IS NOT NULL) AS lease,
    count(*) FILTER (WHERE state = 'waiting_external') AS park,
    count(*) FILTER (WHERE progress IS NOT NULL AND state = 'running') AS progress
FROM awa.jobs_hot WHERE queue = ANY (%(queues)s)
"""

# What has no heartbeat has a deadline still to come, or it would be a matter of luck why it is rescued.
SINCE = "now() + CASE WHEN {id} = ANY (%(stale)s) THEN -1 ELSE 1 END * interval '1 hour'"
UNTIL = "CASE WHEN {id} = ANY (%(late)s) THEN now() - interval '1 minute' WHEN deadline_at IS NOT NULL THEN now() + interval '1 hour' END"
TIMEOUT = "now() + CASE WHEN {id} = ANY (%(expired)s) THEN -1 ELSE 60 END * interval '1 minute'"
AGE_IN_QUEUE_STORAGE = tuple(f"{statement} = ANY (%(all)s)" for statement in (
    f"UPDATE lease_claims SET claimed_at = {SINCE}, deadline_at = {UNTIL} WHERE {{id}}",
    "UPDATE lease_claim_batches SET claimed_at = now() - interval '1 hour' WHERE job_ids[1]",
    f"UPDATE attempt_state SET heartbeat_at = {SINCE} WHERE {{id}}",
    f"UPDATE leases SET heartbeat_at = {SINCE}, deadline_at = {UNTIL} WHERE state = 'running' AND {{id}}",
    f"UPDATE leases SET callback_timeout_at = {TIMEOUT} WHERE state = 'waiting_external' AND {{id}}",
)) + ("INSERT INTO attempt_state (job_id, run_lease, heartbeat_at) SELECT j, r, now() + interval '1 hour'"
      " FROM lease_claim_batches, unnest(job_ids, run_leases) u(j, r) WHERE j = ANY (%(all)s) AND j <> ALL (%(stale)s)"
      " ON CONFLICT DO NOTHING",)
AGE_IN_CANONICAL = (
    f"UPDATE awa.jobs_hot SET heartbeat_at = {SINCE}, deadline_at = {UNTIL} WHERE state = 'running' AND {{id}} = ANY (%(all)s)",
    f"UPDATE awa.jobs_hot SET callback_timeout_at = {TIMEOUT} WHERE state = 'waiting_external' AND {{id}} = ANY (%(all)s)")


class Attempts:
    """The jobs of one plane, from their birth to the moment that their worker dies."""

    def __init__(self, world, deeds=DEEDS):
        self.world = world
        self.is_routed = world.is_routed()
        self.is_leased = self.is_routed and not world.has_receipts
        # Awa's worker cannot complete an attempt that has no receipt.
        self.deeds = tuple(do for do in deeds if do != "complete" or not self.is_leased)
        self.is_last = deeds == ENDINGS
        self.names = QUEUE_STORAGE if self.is_routed else CANONICAL
        self.done = collections.Counter()  # how often a deed is to be seen
        self.jobs = {}  # what each is told to do
        self.superseded = []

    def work(self):
        self.enqueue()
        queues = [{"name": ROW_LOCAL, "max_workers": 100, "deadline_duration_ms": HOUR * 1000},
                  {"name": COMPACT, "max_workers": 100, "deadline_duration_ms": 0}]
        with self.world.worker(queues):
            expected = self.expected()
            wait_until(lambda: self.looks() == expected, 20, lambda: f"{self.looks()} is {expected}")
        for job in self.superseded:
            self.world.session.execute(NEWER.format(**self.names), (job,))

    def enqueue(self):
        for n in range(STEPS):
            self.insert(n)
        self.world.session.execute(TRIED_BEFORE.format(**self.names), (QUEUES,))

    def insert(self, n):
        chance = self.world.chance
        do = chance.choice(self.deeds)
        most = chance.choice((1, 2, 25) if do != "fail" else (1,) if self.is_last else (1, 25))
        mask = chance.choice((None, None, f"{chance.getrandbits(8):08b}", SUPERSEDED))
        job = self.world.session.execute(INSERT, {
            "queue": chance.choice(QUEUES), "do": do, "n": n, "priority": chance.randint(1, 4), "most": most,
            "key": mask and f"try{n}{self.names['id']}{len(self.deeds)}", "mask": mask, "tags": chance.sample(["a", "b", "c"], chance.randint(0, 3))}).fetchone()[0]
        self.jobs[job] = do
        self.done[do] += 1
        # Not a lease: the reference would end it and its receipt, collide with itself and rescue nobody any more.
        if not self.is_leased and do in ("hang", "progress") and mask == SUPERSEDED and chance.random() < 0.7:
            self.superseded.append(job)

    def expected(self):
        """What the worker leaves of the jobs: available, open, lease, park, progress."""
        count = self.done
        running, progress = sum(count[do] for do in OPEN), count["progress"] + count["advance"]
        if self.is_leased:
            return (0, 0, running, count["park"], progress)
        return (0, running + count["park"], count["lease"] + count["advance"], count["park"], progress)

    def looks(self):
        looked = self.world.session.execute(IN_QUEUE_STORAGE if self.is_routed else IN_CANONICAL,
                                            {"queues": QUEUES, "jobs": list(self.jobs)})
        return looked.fetchone()

    def age(self):
        """A fate for each attempt that is open."""
        chance = self.world.chance
        fates = collections.defaultdict(list, {"all": list(self.jobs)})
        for job, do in self.jobs.items():
            if do in OPEN:
                fates[chance.choice(FATES)].append(job)
            if do == "park":
                self.answer(job, chance.choice(ANSWERS), fates)
            if not self.is_routed:
                self.world.session.execute(ENDED, (chance.choice((1, 30, 80)), job))
        for statement in AGE_IN_QUEUE_STORAGE if self.is_routed else AGE_IN_CANONICAL:
            self.world.session.execute(statement.format(**self.names), {name: fates[name] for name in ("all", "stale", "late", "expired")})

    def answer(self, job, word, fates):
        """What becomes of a callback: an answer of one kind or another, or none."""
        callback = str(self.world.value(CALLBACK.format(**self.names), job))
        operator = self.world.operator
        if word == "complete":
            operator.complete_external(callback, {"well": "done"})
        if word == "fail":
            operator.fail_external(callback, "as it was told")
        if word == "retry":
            operator.retry_external(callback)
        if word == "resume":
            operator.resume_external(callback, {"so": "far"})
            word = self.world.chance.choice(("stale", "fresh"))
        fates[word].append(job)


def ended(world):
    """Jobs that have come to their end, every one."""
    return live(world, ENDINGS)


def live(world, deeds=DEEDS):
    attempts = Attempts(world, deeds)
    attempts.work()
    yield
    attempts.age()
