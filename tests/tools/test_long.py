# SPDX-License-Identifier: Apache-2.0
"""The long benchmark's arithmetic: what is late is seen, wherever the schedule lies, and a plan goes on
where it ended."""

import contextlib
import io
import pathlib
import struct
import sys
import tempfile
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.modules.setdefault("psycopg", types.ModuleType("psycopg"))  # nothing here asks a server
sys.path[:0] = [str(ROOT / "tests" / "benchmarks"), str(ROOT / ".dev" / "stage"), str(ROOT / ".dev" / "demo")]
from long import plan, report, telemetry, ticks, trace  # noqa: E402
from long.arms import ARMS  # noqa: E402
from long.duties import DUTIES  # noqa: E402
from long.phases import PHASES  # noqa: E402
from long.sleeper import NAP, Longest  # noqa: E402

KEPT = ROOT / "docs" / "long-horizon"
LOG = """100.000 awa1|LOG:  execute sqlx_s_1: SELECT pg_try_advisory_lock($1)
100.251 awa1|LOG:  execute sqlx_s_2: DELETE FROM
\tawa.deferred_jobs
\tWHERE state = $1 AND run_at <= clock_timestamp()
100.260 fleet|LOG:  duration: 12.500 ms  execute sqlx_s_3: SELECT job_id
\tFROM awa.claim_ready_runtime($1)
100.261 fleet|LOG:  duration: 2.500 ms  parse sqlx_s_3: SELECT job_id FROM awa.claim_ready_runtime($1)
100.300 lockkeeper1|ERROR:  fence: DELETE on leases without the maintenance lock
101.001 awa1|LOG:  execute sqlx_s_4: WITH target AS (SELECT id FROM awa.batch_operations WHERE state IN ('pending', 'scanning')
"""


class Sleeping(unittest.TestCase):
    def test_the_longest_delay_is_kept(self):
        longest = Longest(100)
        for at in (100 + NAP, 100.5 + 2 * NAP, 100.5 + 3 * NAP):
            longest.woken(at)

        self.assertAlmostEqual(0.5, longest.delay)


class Ticks(unittest.TestCase):
    def test_due_times_are_absolute_and_go_on_while_nobody_leads(self):
        self.assertEqual([11, 12, 13, 14.5], list(ticks.due_times([13.5, 10], 1, 10, 15.5)))

    def test_what_is_outside_of_the_window_is_not_due(self):
        self.assertEqual([12, 13], list(ticks.due_times([10], 1, 11.5, 14)))

    def test_each_due_time_counts_until_the_next_start(self):
        self.assertEqual([(0.5, True), (2.0, False), (1.0, False)], list(ticks.answers([1.5, 4], [1, 2, 3], 1, 5)))

    def test_a_schedule_that_is_found_a_little_late_makes_nobody_late(self):
        self.assertEqual([(0.0, True), (0.0, True)], list(ticks.answers([9.97, 19.96], [10, 20], 10, 40)))
        self.assertEqual([(0.23, True)], [(round(late, 2), ran) for late, ran in ticks.answers([9.97, 10.23], [10], 0.25, 40)])

    def test_a_due_time_that_nobody_answers_has_never_run(self):
        self.assertEqual([(3, False), (2, False), (1, False)], list(ticks.answers([], [1, 2, 3], 1, 4)))

    def test_the_end_of_the_block_cuts_no_due_time_short(self):
        self.assertEqual([], list(ticks.answers([], [3.5], 1, 4)))

    def test_a_summary_counts(self):
        found = ticks.summary([(0.004, True), (0.2, True), (70, False)])
        self.assertEqual((3, 2, 1, 200.0, 70000.0),
                         (found["due"], found["late"], found["never_ran"], found["p50_ms"], found["max_ms"]))
        self.assertEqual([1, 1, 1], [found["histogram"][place] for place in (0, 5, 13)])

    def test_a_late_first_promotion_does_not_move_the_schedule(self):
        term = ticks.Term(lock=9.9, first=10.2)
        for start in (11.0, 12.1, 13.05):
            term.start(start)
        self.assertAlmostEqual(10.0, term.anchor())

    def test_a_pass_that_is_almost_an_interval_late_is_not_taken_for_an_early_one(self):
        term = ticks.Term(lock=9.9, first=10.2)
        for number in range(1, 40):
            term.start(10.0 + number + number / 1000)
        term.start(50.95)
        self.assertAlmostEqual(10.0, term.anchor(), delta=0.003)

    def test_without_any_pass_the_first_promotion_counts(self):
        self.assertEqual(10.2, ticks.Term(lock=9.9, first=10.2).anchor())


class Logs(unittest.TestCase):
    def test_both_leaders_are_read_alike(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(LOG)
            file.flush()
            found = trace.Trace({"awa1": True}).read(file.name, 0)
        self.assertEqual([100.251], found.starts["promote_scheduled"])
        self.assertEqual([101.001], found.starts["batch_operations"])
        self.assertEqual([0.0125], found.claims)
        self.assertEqual(1, found.fences)
        self.assertAlmostEqual(100.001, found.anchors()[0])

    def read_ours(self, *lines):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("".join("{0} lockkeeper1|LOG:  execute s1: {1}\n".format(*line.split(" ", 1)) for line in lines))
            file.flush()
            return trace.Trace({"lockkeeper1": False}).read(file.name, 0)

    def test_one_that_stands_by_does_not_begin(self):
        found = self.read_ours(
            "100.000 -- promotion/next_due: since", "101.000 SELECT pg_catalog.pg_try_advisory_lock($1)",
            "101.010 -- promotion/next_due: since", "101.020 -- rings/queue_look: where", "102.030 -- rings/queue_look: where",
            "102.300 -- rescue/has_stale: whether")
        self.assertEqual([101.01], found.starts["promote_scheduled"])
        self.assertEqual([102.3], found.starts["rescue_stale_heartbeats"])
        self.assertEqual([101.02, 102.03], found.starts["rotate_queue"])
        self.assertEqual([101.01], found.anchors())

    def test_who_observes_does_not_promote(self):
        observing = ("102.100 -- observe/look: how", "102.101 -- promotion/next_due: since", "102.102 -- observe/rings: where")
        taken_back = ("102.350 -- observe/look: how", "102.351 -- promotion/next_due: since", "102.352 -- observe/look: how")
        found = self.read_ours("101.010 -- promotion/next_due: since", "101.020 -- rings/queue_look: where", *observing,
                               "102.103 -- promotion/next_due: since", *taken_back, "102.353 -- promotion/next_due: since",
                               "102.354 -- observe/rings: where")
        self.assertEqual([101.01, 102.103, 102.351], found.starts["promote_scheduled"])

    def test_every_duty_names_a_statement_that_exists(self):
        for duty in DUTIES:
            self.assertTrue((ROOT / "lib" / "awa" / "sql" / f"{duty.ours}.sql").exists(), duty.ours)


class Plans(unittest.TestCase):
    def test_a_plan_goes_on_where_it_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "blocks.ndjson"
            results = plan.Results(path)
            results.begin(plan.make(["a", "b"], ["x", "y"], 2, seed=1))
            first = results.missing(["a", "b"], ["x", "y"])
            results.failed(first[0], "a worker has ended")
            results.add(dict(zip(("arm", "phase", "repetition"), first[0])))
            self.assertEqual(first[1:], plan.Results(path).missing(["a", "b"], ["x", "y"]))
            self.assertEqual(1, plan.Results(path).failures)
            self.assertEqual([("b", "y")] * 2, [each[:2] for each in first if each[:2] == ("b", "y")])
            self.assertEqual({("b", 1), ("b", 2)}, {(arm, n) for arm, _, n in results.missing(["b"], ["x"])} | {("b", 1)})

    def test_a_phase_that_comes_later_moves_no_block(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "blocks.ndjson"
            results = plan.Results(path)
            results.begin(plan.make(["a", "b"], ["x"], 2, seed=1))
            results.add(dict(zip(("arm", "phase", "repetition"), results.plan["order"][0])))
            before, kept = results.plan["order"], path.read_text()
            self.assertEqual(["y"], results.unplanned(["x", "y"]))
            results.begin(plan.make(["a", "b"], ["y"], 2, seed=1))
            self.assertTrue(path.read_text().startswith(kept))
            for found in (results, plan.Results(path)):
                self.assertEqual(before, found.plan["order"][:len(before)])
                self.assertEqual(3 + 4, len(found.missing(["a", "b"], ["x", "y"])))
                self.assertEqual([], found.unplanned(["x", "y"]))

    def test_the_kept_plan_has_three_blocks_of_every_arm_and_phase(self):
        order = plan.Results(KEPT / "blocks.ndjson").plan["order"]
        self.assertEqual(sorted([arm, phase, n] for arm in ARMS for phase in PHASES for n in (1, 2, 3)), sorted(order))

    def test_what_was_taken_out_says_why_and_is_not_counted(self):
        blocks, dropped = (plan.Results(KEPT / name).blocks for name in ("blocks.ndjson", "dropped.ndjson"))
        whys = {block["why"] for block in dropped}
        self.assertLessEqual(whys, {
            "the reader of the log missed promotions", "a job counted as lost while its handler still ran",
            "its worker was killed between claim and first line", "the host was busier than in the rest",
            "failed jobs were carried in another way"})
        counted = {(block["arm"], block["phase"], block["at"]) for block in blocks}
        self.assertEqual(36, len(dropped))
        self.assertEqual(set(), counted & {(block["arm"], block["phase"], block["at"]) for block in dropped})

    def test_every_round_has_every_block_in_another_order(self):
        order = plan.make(["a", "b"], list("uvwxyz"), 2, seed=3)["order"]
        self.assertEqual(sorted(order[:12]), sorted([*each[:2], 1] for each in order[12:]))
        self.assertNotEqual([each[:2] for each in order[:12]], [each[:2] for each in order[12:]])


def block(arm, phase, late=1, broken=()):
    counts = [9, 0, 0, 0, 0, late] + [0] * 8
    branch = {"due": 9 + late, "late": late, "never_ran": 0, "max_ms": 200.0, "histogram": counts}
    return {"kind": "block", "arm": arm, "phase": phase, "repetition": 1, "terms": 1, "overruns": 0, "turns": 5, "completed": 7, "busy_percent": 12.5, "at_once": 1,
            "branches": {duty.branch: branch for duty in DUTIES}, "memory_mb": [4.0] * 12, "memory_median_mb": 4.0,
            "left": dict.fromkeys(("due_jobs", "stale_claims", "expired_dead_letters", "terminal_rows", "dead_tuples",
                                   "full_queue_slots", "full_claim_slots", "count_deltas", "megabytes"), 3),
            "claims": {"p99_ms": 2.0}, "pickups": {"p99_ms": 3.0}, "broken": list(broken), "audit_faults": [], "unfinished": 0,
            "fence_errors": 0, "fence_is_shut": True, "missed_mutants": [],
            "machine": {"date": "a day", "processor": "one", "cores": 2, "memory_gib": 1, "system": "s", "kernel": "k",
                        "flush_ms": 0.1, "load_before": 0.5}}


class Reports(unittest.TestCase):
    def rows(self, *blocks):
        return {row[0]: row[1:] for row in report.table(blocks)["rows"]}

    def test_a_cell_is_the_median_with_the_spread(self):
        rows = self.rows(block("awa", "clean", 1), block("awa", "clean", 6), block("awa", "clean", 91))
        self.assertEqual("40 % (10 to 91)", rows["SLO: due times answered more than 100 ms late"][0])
        self.assertEqual("250 ms", rows["SLO: lateness, p99, at most"][0])
        self.assertEqual("40 % (10 to 91)", rows["of the SLO lane, rescues: due times answered more than 100 ms late"][0])

    def test_the_median_of_two_bounds_is_one_of_them(self):
        rows = self.rows(block("awa", "clean", 0), block("awa", "clean", 1))
        self.assertEqual("250 ms (5 to 250)", rows["SLO: lateness, p99, at most"][0])

    def test_a_violation_is_counted(self):
        self.assertEqual("1", self.rows(block("awa", "clean", broken=["a sentence"]))["violations"][0])

    def test_the_program_of_every_block_is_counted(self):
        noted, dirty = ({**block("awa", "clean"), "commit": commit} for commit in ("c0ffee", "c0ffee-dirty"))
        self.assertEqual("Awa's own leader, 0.6.9: 1 of c0ffee-dirty, 2 of c0ffee, 1 not noted; Lockkeeper: 1 not noted",
                         report.programs([dirty, noted, block("lockkeeper", "clean"), noted, block("awa", "clean")]))

    def test_the_page_has_a_place_for_every_phase(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            results, longer = (plan.Results(pathlib.Path(folder) / name) for name in ("blocks.ndjson", "longer.ndjson"))
            page = pathlib.Path(folder) / "page.md"
            as_it_is = (ROOT / "docs" / "long-horizon.md").read_text()
            page.write_text(as_it_is)
            self.assertEqual(1, report.write(page, results, longer))
            self.assertEqual(as_it_is, page.read_text())
            results.begin(plan.make(list(ARMS), list(PHASES), 1, seed=1))
            results.add(block("awa", "clean"))
            self.assertEqual(0, report.write(page, results, longer))
            self.assertIn("1 of 24 blocks", page.read_text())
            self.assertIn("0 came to no end", page.read_text())
            self.assertEqual(len(PHASES), page.read_text().count("Not measured."))
            longer.add(block("awa", "clean"))
            self.assertEqual(0, report.write(page, results, longer))
            self.assertEqual(len(PHASES) - 1, page.read_text().count("Not measured."))


def field(number, payload):
    if isinstance(payload, int):
        return bytes([number << 3 | 1]) + struct.pack("<q", payload)
    return bytes([number << 3 | 2, len(payload)]) + payload


class Exports(unittest.TestCase):
    def test_the_overruns_of_a_service_are_added_up(self):
        name = field(1, field(1, b"service.name") + field(2, field(1, b"awa1")))
        metric = field(1, telemetry.OVERRUN) + field(7, field(1, field(6, 2)) + field(1, field(6, 3)))
        other = field(1, b"awa.other") + field(7, field(1, field(6, 40)))
        request = field(1, field(1, name) + field(2, field(2, metric) + field(2, other)))
        self.assertEqual([("awa1", 5)], list(telemetry.overruns(request)))


if __name__ == "__main__":
    unittest.main()
