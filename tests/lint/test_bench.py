# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' arithmetic: an aim that is missed is seen, and only finished figures are written."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

from source import ROOT

sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
import page  # noqa: E402
import server_log  # noqa: E402
from figure import HEADINGS, Row, quantile  # noqa: E402

LOG = """10.000 7 LOG:  duration: 1.500 ms  execute s9: -- rings/queue_lock: locks
	LOCK TABLE
10.050 7 LOG:  duration: 20.000 ms  execute s10: -- rings/truncate: empties
10.060 8 LOG:  duration: 0.010 ms  execute <unnamed>: COMMIT
10.090 7 LOG:  duration: 5.000 ms  execute <unnamed>: COMMIT
11.000 7 LOG:  duration: 1.500 ms  execute s9: -- rings/claim_lock: locks
11.010 7 LOG:  duration: 0.100 ms  execute <unnamed>: ROLLBACK
"""


class Rows(unittest.TestCase):
    def test_an_aim_is_met_or_missed(self):
        self.assertTrue(Row("a", "ms", 5, most=5).is_met())
        self.assertFalse(Row("a", "ms", 6, most=5).is_met())
        self.assertFalse(Row("a", "/s", 6, least=7).is_met())
        self.assertFalse(Row("a", "ms", None, most=5).is_met())
        self.assertIsNone(Row("a", "ms", 5).is_met())

    def test_a_ratio_says_how_many_times_better(self):
        self.assertEqual(100, Row("a", "ms", 2, awa=200).ratio())
        self.assertEqual(3, Row("a", "/s", 30, awa=10, least=1).ratio())
        self.assertIsNone(Row("a", "", 0, awa=0).ratio())
        self.assertFalse(Row("a", "ms", 2, awa=100, times=100).is_met())

    def test_a_quantile_is_one_of_the_values(self):
        self.assertEqual(99, quantile(range(1, 101), 0.99))
        self.assertEqual(100, quantile(range(1, 101), 1))
        self.assertIsNone(quantile([], 0.5))


class Prunes(unittest.TestCase):
    def test_a_prune_is_what_was_committed(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(LOG)
            file.flush()
            (ring, whole, fixed), = server_log.prunes(file.name, 0)
        self.assertEqual(("queue", 0.09, 0.06), (ring, round(whole, 3), round(fixed, 3)))


class Pages(unittest.TestCase):
    def write(self, is_quick):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            docs = pathlib.Path(folder) / "page.md"
            docs.write_text("<!-- begin machine -->\n<!-- end machine -->\n<!-- begin x -->\nold\n<!-- end x -->\n")
            place = {"date": "d", "processor": "p", "cores": 2, "memory_gib": 1, "system": "s", "kernel": "k",
                     "flush_ms": 0.5}
            found = {"name": "x", "quick": is_quick, "machine": place, "headings": HEADINGS,
                     "rows": [Row("a", "ms", 5, most=5).cells()]}
            (pathlib.Path(folder) / "x.json").write_text(json.dumps(found))
            return page.write(docs, pathlib.Path(folder)), docs.read_text()

    def test_figures_take_the_place_of_older_ones(self):
        code, text = self.write(is_quick=False)
        self.assertEqual(0, code)
        self.assertIn("| a | 5 ms |  |  | ≤ 5 ms | yes |", text)
        self.assertNotIn("old", text)

    def test_what_was_only_tried_out_is_not_written(self):
        code, text = self.write(is_quick=True)
        self.assertEqual(1, code)
        self.assertIn("old", text)


if __name__ == "__main__":
    unittest.main()
