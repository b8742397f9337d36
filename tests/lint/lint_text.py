# SPDX-License-Identifier: Apache-2.0
"""What no file may say: where it was made, on which machine, or that it is not finished."""

import re

from source import ROOT, report, tracked

FORBIDDEN = {
    r"(?<![\w.$}])/(?:work|root|home)/": "a path of one machine",
    r"/tmp/(?!lockkeeper-)\w": "a path of one machine",
    r"/opt/" + "awa": "a path of one machine",
    r"\b(?:pypi|deb\.debian|crates|registry\.npmjs|proxy\.golang|files\.pythonhosted)\.(?:org|io)\b":
        "the host of a registry",
    r"(?<![\w&/])#\d+\b": "the number of an issue",
    r"\b[Ii]ssues? #?\d+": "the number of an issue",
    r"\b(?:TODO|FIXME|XXX|HACK)\b": "something unfinished",
    r"\bfor now\b": "something unfinished",
    r"[ \t]+$": "blanks at the end of a line",
}
LICENSED = (".cpp", ".hpp", ".py", ".sh")
BINARY = (".png", ".gif", ".svg", ".ico")
SELF = {"tests/lint/lint_text.py", "tests/lint/test_text.py"}


def check(path, text):
    head = re.sub(r"\A#![^\n]*\n", "", text).split("\n", 1)[0]
    if path.endswith(LICENSED) and "SPDX-License-Identifier: Apache-2.0" not in head:
        yield f"{path}:1: the first line does not name the licence"
    if text and not text.endswith("\n"):
        yield f"{path}:1: no newline at the end"
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, what in FORBIDDEN.items():
            if re.search(pattern, line):
                yield f"{path}:{number}: {what}"


if __name__ == "__main__":
    report([fault for path in tracked() if path not in SELF and not path.endswith(BINARY)
            for fault in check(path, (ROOT / path).read_text(encoding="utf-8"))])
