# SPDX-License-Identifier: Apache-2.0
"""The demo's verdict is evidence only if it sees what was planted: lost, doubled, early, strange."""

import pathlib
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".dev" / "demo"))
from ledger import Ledger  # noqa: E402


def lines(expect="completed", run_at=None):
    return [
        {"event": "intent", "key": "a", "kind": "Quick", "expect": expect, "run_at": run_at, "at": 1},
        {"event": "accepted", "key": "a", "id": 7, "at": 2},
        {"event": "start", "key": "a", "id": 7, "attempt": 1, "worker": "w1", "at": 3},
        {"event": "end", "key": "a", "id": 7, "attempt": 1, "worker": "w1", "outcome": "completed", "at": 4},
        {"event": "terminal", "id": 7, "lease": 1, "state": "completed", "at": 5},
    ]


def faults(*parts):
    ledger = Ledger()
    for part in parts:
        ledger.add_all(part)
    return " | ".join(ledger.faults())


class Verdict(unittest.TestCase):
    def test_a_job_that_ran_once_is_fine(self):
        self.assertEqual("", faults(lines()))

    def test_a_killed_and_rescued_job_is_fine_and_counted(self):
        good = lines()
        killed = {**good[2], "worker": "w0", "at": 2.5}
        ledger = Ledger()
        ledger.add_all([*good[:2], killed, {**good[2], "attempt": 2}, *good[3:]])
        ledger.jobs["a"].ends[0]["attempt"] = 2
        self.assertEqual([], ledger.faults())
        self.assertEqual(1, ledger.counts()["rescued"])

    def test_a_job_whose_worker_was_killed_before_it_could_write_is_counted_as_rescued(self):
        good = lines("failed")
        ledger = Ledger()
        ledger.add_all([*good[:2], {**good[2], "attempt": 2}, {**good[3], "attempt": 2}, good[4]])
        self.assertEqual([], ledger.faults())
        self.assertEqual(1, ledger.counts()["rescued"])

    def test_a_job_that_completes_at_once_and_should_fail_is_seen(self):
        self.assertIn("is completed, expected failed", faults(lines("failed")))

    def test_a_dropped_job_is_lost(self):
        self.assertIn("lost", faults(lines()[:2]))
        self.assertIn("lost", faults(lines()[:4]))

    def test_a_job_that_ran_twice_is_seen_by_its_worker(self):
        again = {**lines()[3], "attempt": 2, "at": 6}
        self.assertIn("ran to completion 2 times", faults(lines(), [again]))

    def test_a_job_that_finished_twice_is_seen_in_the_database(self):
        self.assertIn("finished 2 times", faults(lines(), [{**lines()[4], "lease": 2}]))

    def test_a_job_completed_without_having_run_is_seen(self):
        self.assertIn("never ran to completion", faults([*lines()[:3], lines()[4]]))

    def test_a_parked_job_is_completed_by_its_answer(self):
        answered = {**lines()[3], "outcome": "answered"}
        self.assertEqual("", faults([*lines()[:3], answered, lines()[4]]))

    def test_an_attempt_that_gave_up_before_it_was_rescued_completes_its_job(self):
        gave_up = {**lines()[3], "outcome": "gave up"}
        self.assertEqual("", faults([*lines()[:3], gave_up, lines()[4]]))
        self.assertIn("never ran", faults([*lines()[:3], {**gave_up, "outcome": "stopped"}, lines()[4]]))

    def test_fires_are_complete_and_run_once(self):
        def fired(*seconds):
            return [{"event": "fired", "id": 100 + n, "worker": "w1", "at": n, "fire": f"2026-05-07 12:{s // 60:02}:{s % 60:02}+00"}
                    for n, s in enumerate(seconds)]
        whole = list(range(0, 60, 2))
        self.assertEqual("", faults(fired(*whole)))
        self.assertIn("ran twice", faults(fired(0, 2, 2, 4)))
        self.assertIn("no fire between", faults(fired(*[s for s in whole if s != 10])))
        self.assertEqual("", faults(fired(*[s for s in whole if s != 56])))

    def test_only_what_was_just_completed_may_still_be_uncommitted(self):
        ledger = Ledger()
        fired = {"event": "fired", "worker": "w1", "fire": "2026-05-07 12:00:00+00"}
        ledger.add_all([{**fired, "id": 1, "at": time.time() - 60}, {**fired, "id": 2, "at": time.time()},
                        {**fired, "id": 3, "at": time.time(), "worker": "w2"}])
        self.assertEqual([2], ledger.just_completed_by("w1"))

    def test_a_wrong_final_state_is_seen(self):
        self.assertIn("is failed", faults([*lines()[:4], {**lines()[4], "state": "failed"}]))
        self.assertIn("is completed", faults(lines(expect="failed")))

    def test_a_job_before_its_time_is_seen(self):
        self.assertIn("before its time", faults(lines(run_at=3.5)))
        self.assertEqual("", faults(lines(run_at=2.9)))

    def test_a_duplicate_that_was_accepted_is_seen(self):
        self.assertIn("expected refused", faults(lines(expect="refused")))

    def test_a_refusal_that_nobody_expected_is_seen(self):
        self.assertIn("expected accepted", faults([lines()[0], {**lines()[1], "event": "refused"}]))

    def test_a_job_without_an_answer_is_seen(self):
        self.assertIn("never answered", faults(lines()[:1]))

    def test_a_job_that_nobody_produced_is_seen(self):
        self.assertIn("unknown", faults(lines(), [{**lines()[2], "key": "z"}]))


if __name__ == "__main__":
    unittest.main()
