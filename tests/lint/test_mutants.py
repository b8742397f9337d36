# SPDX-License-Identifier: Apache-2.0
"""Faults that can no longer be planted prove nothing: each still finds its place in the source."""

import sys
import unittest

from source import ROOT

sys.path.insert(0, str(ROOT / "tests" / "mutants"))  # benchmarks have modules of the same names
import branches  # noqa: E402
import scheduling  # noqa: E402
from planting import plant  # noqa: E402


class Mutants(unittest.TestCase):
    def test_each_finds_its_place(self):
        faults = [mutant[1:4] for mutant in branches.planted()]
        faults += [("lib/scheduling/" + mutant[0], *mutant[1:3]) for mutant in scheduling.MUTANTS]
        for path, old, new in faults:
            with self.subTest(old):
                text = (ROOT / path).read_text(encoding="utf-8")
                self.assertNotEqual(text, plant(text, old, new))


if __name__ == "__main__":
    unittest.main()
