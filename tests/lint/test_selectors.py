# SPDX-License-Identifier: Apache-2.0
"""Planted faults for the lint on what rules and pages ask of our metrics."""

import unittest

import lint_selectors

PAGE = """
| `lockkeeper_turns_total` | counter | branch, lane | Turns |
| `awa_ring_generation` | gauge | awa_ring | Where it stands |
| `lockkeeper_round_trip_seconds` | histogram | – | How long |
"""
RULE = 'sum by (branch) (rate(lockkeeper_turns_total{lane="slo",job=~"a"}[5m])) > on(awa_ring) awa_ring_generation'


class Selectors(unittest.TestCase):
    def faults(self, text, path="config/alerts.yml"):
        return list(lint_selectors.faults_of(lint_selectors.metrics_of(PAGE), path, text))

    def test_what_is_there_is_fine(self):
        self.assertEqual([], self.faults(RULE))
        self.assertEqual([], self.faults('lockkeeper_round_trip_seconds_bucket{le="1"}'))
        self.assertEqual([], self.faults("the database lockkeeper_test and awa_owner", "docs/operations.md"))

    def test_a_metric_that_is_not_there_is_seen(self):
        self.assertIn("no metric lockkeeper_turn_total", self.faults(RULE.replace("turns", "turn"))[0])
        self.assertEqual(1, len(self.faults('`lockkeeper_turn_total{lane="slo"}`', "README.md")))

    def test_a_label_that_is_not_there_is_seen(self):
        self.assertIn("config/alerts.yml:1: lockkeeper_turns_total has no label lanes, but branch, lane",
                      self.faults(RULE.replace("lane=", "lanes=")))
        self.assertEqual(1, len(self.faults('lockkeeper_round_trip_seconds_sum{branch="x"}', "README.md")))

    def test_a_group_by_what_is_not_there_is_seen(self):
        self.assertIn("no metric has a label brunch", self.faults(RULE.replace("by (branch)", "by (brunch)"))[0])


if __name__ == "__main__":
    unittest.main()
