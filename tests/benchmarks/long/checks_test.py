# SPDX-License-Identifier: Apache-2.0
"""The checks of the long benchmark on a database of their own: silent on a sound one, and each of them
sees what is planted for it. Needs Awa's packages: ./dev test says where their Python is."""

import pathlib
import sys
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCHMARKS), *(str(BENCHMARKS.parents[1] / ".dev" / room) for room in ("stage", "demo"))]
from cluster import Cluster  # noqa: E402
from long import checks  # noqa: E402
from scene import SETTINGS, make_template  # noqa: E402


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("checks", SETTINGS)
        cls.addClassCleanup(cls.cluster.remove)
        make_template(cls.cluster)
        cls.session = cls.cluster.connect()
        checks.install(cls.session)

    def test_a_sound_database_breaks_no_sentence(self):
        self.assertEqual([], checks.broken(self.session))

    def test_every_planted_fault_is_seen(self):
        self.assertEqual(checks.MUTANTS.keys(), checks.sentences().keys())
        self.assertEqual([], checks.missed_mutants(self.session))

    def test_a_fault_that_nobody_sees_is_named(self):
        sentence = next(iter(checks.MUTANTS))
        planted, checks.MUTANTS[sentence] = checks.MUTANTS[sentence], "SELECT"
        self.addCleanup(checks.MUTANTS.__setitem__, sentence, planted)
        self.assertEqual([sentence], checks.missed_mutants(self.session))

    def test_a_broken_sentence_is_named_with_an_example(self):
        with self.session.transaction(force_rollback=True):
            self.session.execute(checks.MUTANTS["a job is in one place"])
            found = [each for each in checks.broken(self.session) if each.startswith("a job is in one place: ")]
        self.assertIn("-7", found[0])

    def test_the_fence_refuses_a_write_without_the_lock(self):
        self.assertTrue(checks.is_fence_shut(self.cluster.url("lockkeeper")))
        with self.session.transaction(force_rollback=True):
            self.assertFalse(checks.is_fence_shut(self.cluster.url("app")))


if __name__ == "__main__":
    unittest.main()
