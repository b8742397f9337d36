# SPDX-License-Identifier: Apache-2.0
"""A branch is one word in the catalog, its file, docs/branches.md and the sample configuration;
every metric has its row in docs/metrics.md, which `python3 lint_words.py --write` writes; alert rules
ask for metrics that exist."""

import re
import sys

from source import ROOT, report

CATALOG = "lib/branches/catalog.hpp"
PAGE = "docs/branches.md"
SAMPLE = "config/lockkeeper.toml"
NAMES = "lib/metrics/names.hpp"
METRICS = "docs/metrics.md"

_METRIC = re.compile(
    r"(?P<labels>(?://[^\n]*,\n)*//[^\n]*\n)"
    r"inline constexpr Metric k\w+\{\s*Kind::(?P<kind>\w+),\s*\"(?P<name>\w+)\",\s*\"(?P<help>[^;]*?)\"\s*[,}]"
)


def read(path, root=ROOT):
    file = root / path
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def catalog_words(text):
    return [word for word in re.findall(r"\bROW\((\w+)\)", text) if word != "word"]


def headings(text):
    return re.findall(r"^#{2,3} `?(\w+)`?\s*$", text, re.MULTILINE)


def tables(text):
    return re.findall(r"^#?\s?\[branches\.(\w+)\]", text, re.MULTILINE)


def differences(place, wanted, present):
    for word in wanted:
        if present.count(word) != 1:
            yield f"{place}:1: {word} stands there {present.count(word)} times, not once"
    for word in sorted(set(present) - set(wanted)):
        yield f"{place}:1: {word} is no branch"


def branch_faults(root=ROOT):
    words = catalog_words(read(CATALOG, root))
    if not words:
        yield f"{CATALOG}:1: no branches found"
    files = {file.name: file.read_text() for file in (root / "lib/branches").rglob("*.cpp")}
    for word in words:
        defined = [name for name, text in files.items() if re.search(rf"\bconst Branch {word}\b", text)]
        named = [name for name in defined if f'"{word}"' in files[name]]
        if len(named) != 1:
            yield f"{CATALOG}:1: {word} is defined under its own name in {len(named)} files, not in one"
    yield from differences(PAGE, words, headings(read(PAGE, root)))
    yield from differences(SAMPLE, words, tables(read(SAMPLE, root)))


def metric_page(text):
    lines = ["# Metrics", "", "Everything on `/metrics`. Written by `./dev docs` from the catalog of metrics.",
             "", "| name | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    for match in _METRIC.finditer(text):
        said = " ".join(line.strip("/ ") for line in match["labels"].splitlines())
        labels = "" if said == "no labels" else said
        meaning = re.sub(r'"\s*"', "", match["help"])
        lines.append(f"| `{match['name']}` | {match['kind']} | {labels} | {meaning} |")
    return "\n".join(lines) + "\n"


def metric_faults(root=ROOT):
    text = read(NAMES, root)
    page = metric_page(text)
    if page.count("\n| `") != len(re.findall(r"^inline constexpr Metric ", text, re.MULTILINE)):
        yield f"{NAMES}:1: a metric without the comment that names its labels"
    if read(METRICS, root) != page:
        yield f"{METRICS}:1: differs from {NAMES}; ./dev docs writes it"


if __name__ == "__main__":
    if "--write" in sys.argv:
        (ROOT / METRICS).write_text(metric_page(read(NAMES)), encoding="utf-8")
    report([*branch_faults(), *metric_faults()])
