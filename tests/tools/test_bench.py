# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' arithmetic: an aim that is missed is seen, and only finished figures are written."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "benchmarks"), str(ROOT / ".dev" / "stage")]
import page  # noqa: E402
import server_log  # noqa: E402
from figure import HEADINGS, Row, quantile  # noqa: E402
from metrics import Metrics  # noqa: E402
from windows import Spans  # noqa: E402

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


def scrape(leads, windows, missed, bounds=""):
    return Metrics(f"""lockkeeper_leader {leads}
lockkeeper_leadership_changes_total{{to="leading"}} 1
lockkeeper_leadership_changes_total{{to="aside"}} {windows}
missed{{branch="a"}} {missed}
{bounds}""")


class Windows(unittest.TestCase):
    def counted(self, *scrapes):
        """(beside windows, outside of them)"""
        spans = Spans()
        for at, *found in scrapes:
            spans.take(at, scrape(*found))
        return spans.beside().total("missed"), spans.outside().total("missed")

    def test_what_was_counted_before_is_neither(self):
        self.assertEqual((0, 3), self.counted((0, 1, 2, 10), (0.2, 1, 2, 12), (0.4, 1, 2, 13)))

    def test_while_another_leads_it_is_beside_a_window_and_for_a_second_after(self):
        self.assertEqual((6, 8), self.counted((0, 1, 0, 0), (1, 0, 0, 1), (2, 1, 1, 3), (2.9, 1, 1, 6), (3.1, 1, 1, 6), (4, 1, 1, 14)))

    def test_a_window_between_two_looks_is_seen(self):
        self.assertEqual((1, 2), self.counted((0, 1, 0, 0), (1, 1, 1, 1), (9, 1, 1, 1), (10, 1, 1, 3)))

    def test_a_look_without_an_answer_is_left_out(self):
        spans = Spans()
        for at, found in ((0, scrape(1, 0, 1)), (1, Metrics()), (2, scrape(1, 0, 4))):
            spans.take(at, found)
        self.assertEqual(3, spans.outside().total("missed"))

    def test_buckets_of_several_spans_are_one_histogram(self):
        spans = Spans()
        for at, fast, all_of_them in ((0, 0, 0), (1, 90, 90), (2, 98, 100)):
            spans.take(at, scrape(1, 0, 0, f'late_bucket{{le="1"}} {fast}\nlate_bucket{{le="+Inf"}} {all_of_them}'))
        self.assertEqual([1, float("inf")], [spans.outside().quantile("late", share) for share in (0.98, 0.99)])


class Pages(unittest.TestCase):
    def write(self, of_x=None, **of_both):
        """Two benchmarks, one of them with something else."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            docs = pathlib.Path(folder) / "page.md"
            docs.write_text("".join(f"<!-- begin {name} -->\nold\n<!-- end {name} -->\n" for name in ("machine", "x", "y")))
            place = {"date": "d", "processor": "p", "cores": 2, "memory_gib": 1, "system": "s", "kernel": "k",
                     "flush_ms": 0.5}
            found = {"quick": False, "machine": place, "commit": "c0ffee", "headings": HEADINGS,
                     "rows": [Row("a", "ms", 5, most=5).cells()]}
            for name, changes in (("x", of_x or {}), ("y", {})):
                (pathlib.Path(folder) / f"{name}.json").write_text(json.dumps({"name": name, **found, **of_both, **changes}))
            return page.write(docs, pathlib.Path(folder), ["x", "y"]), docs.read_text()

    def test_figures_take_the_place_of_older_ones(self):
        code, text = self.write()
        self.assertEqual(0, code)
        self.assertIn("commit c0ffee", text)
        self.assertIn("| a | 5 ms |  |  | ≤ 5 ms | yes |", text)
        self.assertNotIn("old", text)

    def test_only_one_program_that_was_measured_whole_is_written(self):
        for changes in ({"commit": "c0ffee-dirty"}, {"of_x": {"quick": True}}, {"of_x": {"name": "z"}},
                        {"of_x": {"commit": "decade"}}):
            with self.subTest(changes):
                code, text = self.write(**changes)
                self.assertEqual(1, code)
                self.assertNotIn("5 ms", text)


if __name__ == "__main__":
    unittest.main()
