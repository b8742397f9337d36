# SPDX-License-Identifier: Apache-2.0
"""Planted faults for the lints on statements, words, texts and the unit."""

import pathlib
import tempfile
import unittest

import lint_sql
import lint_text
import lint_unit
import lint_words
from source import ROOT

GOOD = """-- queue/move: moves what is due.
-- $1 bigint: at most so many
-- $2 text[]: queues
SELECT id FROM :"schema".deferred_jobs
WHERE queue = ANY ($2::text[]) AND kind <> 'select; from $3'
LIMIT $1::bigint
"""


class Sql(unittest.TestCase):
    def faults(self, text):
        return list(lint_sql.check("queue/move", {"queue/move": text}))

    def test_a_good_statement_is_fine(self):
        self.assertEqual([], self.faults(GOOD))

    def test_planted_faults_are_seen(self):
        for old, new in [("-- queue/move", "-- queue/other"), ("due.", "due"), ("-- $2", "-- $3"),
                         ("bigint: at", "bigint at"), ("LIMIT $1::bigint", "LIMIT $1::bigint;"),
                         ("LIMIT $1::bigint", "LIMIT 1; SELECT $1::bigint"), ("$1::bigint", "$1"),
                         ("$1::bigint", "$1::int"), ("LIMIT $1::bigint", "LIMIT 10"),
                         ("LIMIT $1", "LIMIT $4::int + $1"), ("WHERE", "where"),
                         ("SELECT id", "DELETE FROM a RETURNING *"),
                         ("SELECT id", 'INSERT INTO :"schema".a SELECT id'),
                         ("SELECT id", "INSERT INTO a (b, c) SELECT d.*")]:
            with self.subTest(new):
                self.assertTrue(self.faults(GOOD.replace(old, new)))

    def test_a_head_of_several_lines_and_short_types_are_fine(self):
        text = GOOD.replace("due.", "due. More of\n-- it.").replace("bigint: at", "timestamp with time zone: at")
        self.assertEqual([], self.faults(text.replace("$1::bigint", "$1::timestamptz")))

    def test_a_part_counts_where_it_is_included(self):
        part = "-- parts/limit: how many.\n-- $1 bigint: at most so many\nLIMIT $1::bigint\n"
        texts = {"parts/limit": part, "queue/move": GOOD.replace("LIMIT $1::bigint", "\\ir ../parts/limit.sql"),
                 "queue/turn": "-- queue/turn: turns.\n-- $1 bigint: so many\nSELECT 1\n\\ir ../parts/limit.sql\n"}
        faults = lambda: [*lint_sql.part_faults(texts), *(each for name in texts for each in lint_sql.check(name, texts))]
        self.assertEqual([], faults())
        for old, new in [("\\ir ../parts/limit.sql", "LIMIT $1::bigint"), ("../parts/limit", "../parts/limits")]:
            with self.subTest(new):
                texts["queue/turn"] = texts["queue/turn"].replace(old, new)
                self.assertTrue(faults())
                texts["queue/turn"] = texts["queue/turn"].replace(new, old)
        texts["parts/limit"] = part.replace("$1::bigint", "$1::bigint + $3::bigint")
        self.assertTrue(faults())

    def test_unused_unknown_and_unlisted_statements_are_seen(self):
        body = 'co_await ctx.rows("queue/move");\nconst Branch move{'
        listed = 'std::string_view kStatements[] = {"queue/move"};\n' + body
        used = lambda text: list(lint_sql.use_faults({"queue/move"}, {"lib/branches/move.cpp": text}))
        self.assertEqual([], used(listed))
        self.assertTrue(used(""))
        self.assertTrue(used(body))
        self.assertTrue(used(listed + '"queue/mvoe"'))


class Words(unittest.TestCase):
    def tree(self, **changes):
        files = {
            "lib/branches/catalog.hpp": "#define B(ROW) \\\n  ROW(move) \\\n  ROW(turn)\n",
            "lib/branches/move.cpp": 'const Branch move{.name = "move"};',
            "lib/branches/turns.cpp": 'const Branch turn{.name = "turn"};',
            "docs/branches.md": "# Branches\n\n## `move`\n\n## `turn`\n",
            "config/lockkeeper.toml": "[branches.move]\n# [branches.turn]\n",
        }
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in {**files, **changes}.items():
            path = pathlib.Path(folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = pathlib.Path(folder.name)
        return list(lint_words.branch_faults(root))

    def test_one_word_everywhere_is_fine(self):
        self.assertEqual([], self.tree())

    def test_planted_faults_are_seen(self):
        for path, text in [("lib/branches/move.cpp", 'const Branch move{.name = "mvoe"};'),
                           ("lib/branches/turns.cpp", ""),
                           ("docs/branches.md", "## `move`\n"),
                           ("docs/branches.md", "## `move`\n## `turn`\n## `age`\n"),
                           ("config/lockkeeper.toml", "[branches.move]\n"),
                           ("config/lockkeeper.toml", "[branches.move]\n[branches.move]\n[branches.turn]\n"),
                           ("lib/branches/catalog.hpp", "")]:
            with self.subTest(path + text):
                self.assertTrue(self.tree(**{path: text}))

    def test_the_page_of_metrics_has_a_row_for_each(self):
        text = ('// branch, lane\ninline constexpr Metric kTurns{Kind::counter, "lockkeeper_turns_total",\n'
                '    "Turns "\n    "taken"};\n')
        self.assertIn("| `lockkeeper_turns_total` | counter | branch, lane | Turns taken |",
                      lint_words.metric_page(text))
        self.assertIn("| counter | branch, lane |", lint_words.metric_page(text.replace(", lane", ",\n// lane")))


class Text(unittest.TestCase):
    def test_planted_faults_are_seen(self):
        for line in ["see /" + "work/main/x", "/" + "home/me/x", "/" + "tmp/x", "from pypi.org", "fixes #12", "issue 3",
                     "// TODO later", "good for now", "blank "]:
            with self.subTest(line):
                self.assertTrue(list(lint_text.check("a.md", line + "\n")))

    def test_a_source_without_licence_or_newline_is_seen(self):
        self.assertTrue(list(lint_text.check("a.cpp", "int a;\n")))
        self.assertTrue(list(lint_text.check("a.md", "text")))

    def test_good_text_is_fine(self):
        good = "// SPDX-License-Identifier: Apache-2.0\nint a = 1;  // see lib/work/x, $HOME/work/y, a#1\n"
        self.assertEqual([], list(lint_text.check("a.cpp", good)))


class Unit(unittest.TestCase):
    def test_a_missing_line_is_seen(self):
        text = (ROOT / lint_unit.UNIT).read_text()
        self.assertEqual([], list(lint_unit.check(text)))
        for line in lint_unit.NEEDED:
            with self.subTest(line):
                self.assertTrue(list(lint_unit.check(text.replace(line, "#"))))


if __name__ == "__main__":
    unittest.main()
