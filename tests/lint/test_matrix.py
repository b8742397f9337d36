# SPDX-License-Identifier: Apache-2.0
"""Planted faults for the lint on tests/matrix.md."""

import unittest

import lint_matrix

PAGE = """# Matrix

| number | set up | true |
| --- | --- | --- |
| T1 | a due job | it is promoted |
| H15a | a mark | counted |
| I1 | `an attempt ends once` | |
"""
CASES = {"tests/a_test.cpp": '\n// TEST_CASE("old", "[T7]") {}\nTEST_CASE("a \\"due\\" job",\n    "[a][T1]") {}\n',
         "tests/b_test.cpp": 'TEST_CASE("a mark", "[a][H15a][b]") { CHECK("[T9]"); }\n'}
SENTENCES = {"an attempt ends once"}


class Matrix(unittest.TestCase):
    def faults(self, page=PAGE, **cases):
        return list(lint_matrix.faults(page, {**CASES, **{f"tests/{name}.cpp": text for name, text in cases.items()}},
                                       SENTENCES))

    def test_a_page_whose_rows_are_proven_is_fine(self):
        self.assertEqual([], self.faults())

    def test_a_row_without_a_case_is_seen(self):
        for row in ("| T2 | x | y |", "| H15b | x | y |", "| I2 | x | y |"):
            with self.subTest(row):
                self.assertRegex(self.faults(PAGE + row + "\n")[0], r"^tests/matrix.md:8: \w+ has no case; tag")

    def test_a_tag_in_a_comment_or_a_body_proves_nothing(self):
        self.assertTrue(self.faults(PAGE + "| T7 | x | y |\n"))
        self.assertTrue(self.faults(PAGE + "| T9 | x | y |\n"))

    def test_a_tag_without_a_row_is_seen_at_its_place(self):
        found = self.faults(c='\n\nTEST_CASE("c", "[T28]") {}\n')
        self.assertEqual(1, len(found))
        self.assertTrue(found[0].startswith("tests/c.cpp:3: [T28] has no row"))

    def test_a_sentence_that_nobody_says_is_seen(self):
        self.assertTrue(self.faults(PAGE.replace("ends once", "ends twice")))

    def test_a_sentence_begins_a_paragraph(self):
        sql = "-- What it is.\n\n-- an attempt ends once\n-- Or never.\nSELECT 1\n-- no sentence\n\n-- a job is here\nSELECT 2\n"
        self.assertEqual({"What it is.", "an attempt ends once", "a job is here"}, lint_matrix.sentences_in(sql))

    def test_a_number_with_two_rows_and_a_page_without_any_are_seen(self):
        self.assertTrue(self.faults(PAGE + "| T1 | x | y |\n"))
        self.assertTrue(self.faults("# Matrix\n"))


if __name__ == "__main__":
    unittest.main()
