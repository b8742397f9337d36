# SPDX-License-Identifier: Apache-2.0
"""Each row of tests/matrix.md is proven: by cases with its tag, or by the sentences that it names."""

import re

from source import ROOT, line_of, report, sources, tracked, without_comments

PAGE = "tests/matrix.md"
# Where what must hold in every database is written: the first line of a paragraph.
STATEMENTS = "tests/support/invariants/"

_ROW = re.compile(r"^\| (?P<number>[THI]\d+[a-z]?) \|(?P<rest>.*)\|$", re.MULTILINE)
_CASE = re.compile(r'\bTEST_CASE\(\s*(?:"(?:\\.|[^"\\])*"\s*)+,\s*(?P<tags>"[^"]*")\s*\)')
_TAG = re.compile(r"\[([THI]\d+[a-z]?)\]")
_NAMED = re.compile(r"`([^`]+)`")
_SAID = re.compile(r"(?:\A|\n\n)-- (\S.*)")


def rows_of(page):
    """(number, line, sentences) of each row; only those of invariants name sentences."""
    for match in _ROW.finditer(page):
        named = _NAMED.findall(match["rest"]) if match["number"].startswith("I") else []
        yield match["number"], line_of(page, match.start()), named


def tags_of(cases):
    """(number, path, line) of each tag of a test that is run; cases: path to C++."""
    for path, text in cases.items():
        code = without_comments(text)
        for case in _CASE.finditer(code):
            for tag in _TAG.finditer(case["tags"]):
                yield tag[1], path, line_of(code, case.start("tags"))


def faults(page, cases, sentences):
    rows = list(rows_of(page))
    tags = list(tags_of(cases))
    tagged = {number for number, _, _ in tags}
    known = {number for number, _, _ in rows}
    if not rows:
        yield f"{PAGE}:1: no rows"
    for place, (number, line, named) in enumerate(rows):
        if number in {other for other, _, _ in rows[:place]}:
            yield f"{PAGE}:{line}: {number} has a row already"
        if not named and number not in tagged:
            yield f"{PAGE}:{line}: {number} has no case; tag the TEST_CASE that proves it with [{number}]"
        for sentence in named:
            if sentence not in sentences:
                yield f"{PAGE}:{line}: no invariant says `{sentence}`; name one of {STATEMENTS}"
    for number, path, line in tags:
        if number not in known:
            yield f"{path}:{line}: [{number}] has no row in {PAGE}; write one, or take the tag away"


def sentences_in(text):
    return set(_SAID.findall(text))


def read_sentences():
    files = [path for path in tracked() if path.startswith(STATEMENTS) and path.endswith(".sql")]
    return {sentence for path in files for sentence in sentences_in((ROOT / path).read_text(encoding="utf-8"))}


if __name__ == "__main__":
    report(list(faults((ROOT / PAGE).read_text(encoding="utf-8"), dict(sources("tests", endings=(".cpp",))),
                       read_sentences())))
