# SPDX-License-Identifier: Apache-2.0
"""Functions up to 60 lines and 5 parameters; files 300 lines, headers 150, statements 60."""

import re

from source import ROOT, blank, line_of, report, tracked

FUNCTION_LINES = 60
PARAMETERS = 5
FILE_LINES = {".cpp": 300, ".hpp": 150, ".sql": 60, ".py": 300, ".sh": 300}
TABLES = {"lib/metrics/names.hpp"}  # one row a metric: as long as there are metrics

FOREIGN = ("static MHD_Result ", "MHD_Result ")  # callbacks whose parameters the library decides

_TYPE = re.compile(r"\b(?:class|struct|union|enum)\b")
_TEMPLATE = re.compile(r"^\s*template\s*<.*?>(?=\s*\w)", re.DOTALL)


def kind_of(header):
    header = _TEMPLATE.sub("", header)
    if re.search(r"\bnamespace\b|\bextern\s*\"", header):
        return "namespace"
    if "(" in header and not re.search(r"=\s*$", header):
        return "function"
    return "type" if _TYPE.search(header) else "value"


def functions(code):
    """(header, first line, last line) of every function of a blanked text."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), code,
                  flags=re.MULTILINE)
    stack = []
    start = 0
    for place, mark in enumerate(code):
        if mark == "{":
            inside = any(kind in ("function", "value") for kind, _, _ in stack)
            header = code[start:place]
            stack.append(("inner" if inside else kind_of(header), header, start))
            start = place + 1
        elif mark == "}" and stack:
            kind, header, begin = stack.pop()
            start = place + 1
            if kind == "function":
                first = begin + len(header) - len(header.lstrip())
                yield header.strip(), line_of(code, first), line_of(code, place)
        elif mark == ";":
            start = place + 1


def parameter_count(header):
    opening = header.find("(")
    if re.search(r"\boperator\s*$", header[:opening]):
        opening = header.find("(", opening + 1)
    inner = ""
    depth = 0
    for mark in header[opening:]:
        depth += {"(": 1, "<": 1, "[": 1, ")": -1, ">": -1, "]": -1}.get(mark, 0)
        if depth == 0:
            break
        inner += mark if depth == 1 else " "
    inner = inner[1:].strip()
    return 0 if inner in ("", "void") else inner.count(",") + 1


def check(path, text):
    ending = "." + path.rsplit(".", 1)[-1]
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines > FILE_LINES.get(ending, lines) and path not in TABLES:
        yield f"{path}:1: {lines} lines, at most {FILE_LINES[ending]}"
    if ending not in (".cpp", ".hpp"):
        return
    for header, first, last in functions(blank(text)):
        if last - first + 1 > FUNCTION_LINES:
            yield f"{path}:{first}: a function of {last - first + 1} lines, at most {FUNCTION_LINES}"
        if parameter_count(header) > PARAMETERS and not header.startswith(("TEST_CASE", *FOREIGN)):
            yield f"{path}:{first}: {parameter_count(header)} parameters, at most {PARAMETERS}"


if __name__ == "__main__":
    report([fault for path in tracked() if path.endswith(tuple(FILE_LINES))
            for fault in check(path, (ROOT / path).read_text(encoding="utf-8"))])
