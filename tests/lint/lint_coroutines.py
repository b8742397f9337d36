# SPDX-License-Identifier: Apache-2.0
"""After co_await, round brackets only, up to the end of the statement.

g++ 12 destroys some temporaries twice when they stand in the same expression as a co_await:
aggregates in braces and lambdas that own a capture. One rule without exceptions catches them all.
A lambda with captures must not be a coroutine either: its captures die before it wakes.
"""

import re

from source import blank, line_of, report, sources

_CONTROL = re.compile(r"\s*(?:else\s+)?(?:if|while|for|switch)\b")
_LAMBDA = re.compile(r"\[([^\[\]]+)\]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?[^;{}()\[\]]*\{")


def statement_start(text, position):
    return max(text.rfind(mark, 0, position) for mark in ";{}") + 1


def brace_after(text, position):
    """Where the first brace of the statement stands that holds the co_await, or None."""
    start = statement_start(text, position)
    depth = text.count("(", start, position) - text.count(")", start, position)
    is_control = _CONTROL.match(text, start) is not None
    for place in range(position, len(text)):
        mark = text[place]
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
            if depth < 0 or (is_control and depth == 0):
                return None
        elif mark == ";":
            return None
        elif mark in "{}":
            return place
    return None


def matching_brace(text, opening):
    depth = 0
    for place in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return len(text)


def check(path, text):
    code = blank(text)
    for match in re.finditer(r"\bco_await\b", code):
        brace = brace_after(code, match.end())
        if brace is not None:
            yield f"{path}:{line_of(code, brace)}: a brace after co_await; make it first, name it"
    for match in _LAMBDA.finditer(code):
        body = code[match.end() : matching_brace(code, match.end() - 1)]
        if re.search(r"\bco_(?:await|return|yield)\b", body):
            yield f"{path}:{line_of(code, match.start())}: a coroutine lambda with captures"


if __name__ == "__main__":
    found = sources("lib", "daemon", "tests")
    report([fault for path, text in found for fault in check(path, text)])
