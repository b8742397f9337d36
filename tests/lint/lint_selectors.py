# SPDX-License-Identifier: Apache-2.0
"""Whatever the alert rules and the pages ask of our metrics is there: the names, and the labels, as docs/metrics.md has
them. A rule with a misspelt label never fires, and its test, misspelt alike, passes."""

import re

from source import ROOT, line_of, report, tracked

PAGE = "docs/metrics.md"
RULES = ("config/alerts.yml", "tests/integration/program/alerts.yml")
OF_PROMETHEUS = {"job", "instance", "le", "alertname"}
SUFFIXES = ("_bucket", "_sum", "_count")

_ROW = re.compile(r"^\| `(\w+)` \| \w+ \| ([^|]*) \|", re.MULTILINE)
_METRIC = re.compile(r"\b((?:lockkeeper|awa)_[a-z_]+)(?:\{([^}]*)\})?")
_GROUP = re.compile(r"\b(?:by|without|on|ignoring) ?\(([^)]*)\)")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


def metrics_of(page):
    """{name: its labels}"""
    return {name: set(re.findall(r"[a-z_]+", labels)) for name, labels in _ROW.findall(page)}


def family(name, metrics):
    short = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
    return name if name in metrics else short


def faults_of(metrics, path, text):
    """In rules every name must be known, elsewhere only one with a selector."""
    labels = set().union(OF_PROMETHEUS, *metrics.values())
    for match in _METRIC.finditer(text):
        name, selector = family(match[1], metrics), match[2]
        if name in labels or (selector is None and path not in RULES):
            continue
        place = f"{path}:{line_of(text, match.start())}"
        if name not in metrics:
            yield f"{place}: there is no metric {match[1]}; see {PAGE}"
            continue
        for label in _LABEL.findall(selector or ""):
            if label not in metrics[name] | OF_PROMETHEUS:
                yield f"{place}: {match[1]} has no label {label}, but {', '.join(sorted(metrics[name])) or 'none'}"
    for match in _GROUP.finditer(text if path in RULES else ""):
        for label in re.findall(r"\w+", match[1]):
            if label not in labels:
                yield f"{path}:{line_of(text, match.start())}: no metric has a label {label}"


def read_texts():
    paths = [path for path in tracked() if path.endswith(".md") and path != PAGE]
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in (*RULES, *paths)}


if __name__ == "__main__":
    metrics = metrics_of((ROOT / PAGE).read_text(encoding="utf-8"))
    report([fault for path, text in read_texts().items() for fault in faults_of(metrics, path, text)])
