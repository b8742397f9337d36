# SPDX-License-Identifier: Apache-2.0
"""The demo's judgement of the daemon: each thing that was not done is missed."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".dev" / "demo"), str(ROOT / ".dev" / "stage")]
import verdict  # noqa: E402
from metrics import Metrics  # noqa: E402

GOOD = "\n".join(
    ["# TYPE lockkeeper_leader gauge", "lockkeeper_leader 1"]
    + [f'lockkeeper_branch_rows_total{{branch="{branch}"}} 3'
       for branch in verdict.MOVERS]
    + [f'awa_maintenance_{step}_attempts_total{{awa_ring="{ring}",awa_ring_outcome="{outcome}"}} 2'
       for ring in ("queue", "lease", "claim")
       for step, outcome in (("rotate", "rotated"), ("prune", "pruned"))]
    + [f'lockkeeper_branch_passes_total{{branch="{branch}",lane="hygiene",outcome="{outcome}"}} {passes}'
       for branch in ("observe", "cleanup") for outcome, passes in (("failed", 0), ("idle", 4))]
    + ['lockkeeper_branch_passes_total{branch="refresh_admin_metadata",lane="hygiene",outcome="failed"} 0',
       'lockkeeper_branch_passes_total{branch="refresh_admin_metadata",lane="hygiene",outcome="skipped"} 4']
) + "\n"

LATENESS = """late_bucket{branch="a",lane="slo",le="0.001"} 90
late_bucket{branch="a",lane="slo",le="0.005"} 99
late_bucket{branch="a",lane="slo",le="+Inf"} 100
late_bucket{branch="b",lane="slo",le="0.001"} 0
late_bucket{branch="b",lane="slo",le="+Inf"} 0
"""


class Judgement(unittest.TestCase):
    def test_a_daemon_that_did_everything_is_fine(self):
        self.assertEqual([], list(verdict.faults(Metrics(GOOD), led=True)))

    def test_a_daemon_that_never_led_is_seen(self):
        self.assertTrue(list(verdict.faults(Metrics(GOOD), led=False)))

    def test_each_missing_piece_is_seen(self):
        lines = GOOD.splitlines(keepends=True)
        for line in lines[2:]:
            if "failed" in line:
                continue
            with self.subTest(line):
                without = "".join(other for other in lines if other != line)
                self.assertEqual(1, len(list(verdict.faults(Metrics(without), led=True))))

    def test_a_branch_that_has_work_and_only_skips_is_seen(self):
        text = GOOD.replace('"cleanup",lane="hygiene",outcome="idle"', '"cleanup",lane="hygiene",outcome="skipped"')
        self.assertEqual(["no pass of cleanup came to a good end"], list(verdict.faults(Metrics(text), led=True)))

    def test_a_pass_that_failed_is_seen(self):
        failed = '"cleanup",lane="hygiene",outcome="failed"}'
        text = GOOD.replace(f"{failed} 0", f"{failed} 1")
        self.assertEqual(["1 passes of cleanup failed"], list(verdict.faults(Metrics(text), led=True)))


class Quantiles(unittest.TestCase):
    def test_a_quantile_is_its_buckets_bound(self):
        metrics = Metrics(LATENESS)
        self.assertEqual(0.001, metrics.quantile("late", 0.9, lane="slo"))
        self.assertEqual(0.005, metrics.quantile("late", 0.99, branch="a"))
        self.assertEqual(float("inf"), metrics.quantile("late", 1, branch="a"))

    def test_without_observations_there_is_none(self):
        self.assertIsNone(Metrics(LATENESS).quantile("late", 0.5, branch="b"))
        self.assertIsNone(Metrics().quantile("late", 0.5))

    def test_what_came_before_the_first_scrape_does_not_count(self):
        later = Metrics(LATENESS.replace(" 90", " 91").replace(" 99", " 101").replace(" 100", " 102"))
        news = later.since(Metrics(LATENESS))
        self.assertEqual(0.001, news.quantile("late", 0.5, branch="a"))
        self.assertEqual(0.005, news.quantile("late", 1, branch="a"))


if __name__ == "__main__":
    unittest.main()
