# SPDX-License-Identifier: Apache-2.0
"""Faults that can no longer be planted prove nothing: each still finds its place in the source."""

import sys
import unittest

from source import ROOT

sys.path.insert(0, str(ROOT / "tests" / "mutants"))  # benchmarks have modules of the same names
import mutants  # noqa: E402


class Mutants(unittest.TestCase):
    def test_each_finds_its_place(self):
        for _, path, old, new, *_ in mutants.planted():
            with self.subTest(old):
                text = (ROOT / path).read_text(encoding="utf-8")
                self.assertNotEqual(text, mutants.plant(text, old, new))


if __name__ == "__main__":
    unittest.main()
