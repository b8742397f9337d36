# SPDX-License-Identifier: Apache-2.0
"""What Lockkeeper says on /metrics."""

import collections
import re

_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')


class Metrics:
    """One scrape. Absent series count as zero."""

    def __init__(self, text=""):
        self._series = collections.defaultdict(list)
        for name, labels, value in _SAMPLE.findall(text):
            self._series[name].append((dict(_LABEL.findall(labels)), float(value)))

    def since(self, earlier):
        """What counters and histograms have counted between two scrapes."""
        before = {(name, *sorted(labels.items())): value
                  for name, series in earlier._series.items() for labels, value in series}
        news = Metrics()
        for name, series in self._series.items():
            news._series[name] = [(labels, value - before.get((name, *sorted(labels.items())), 0.0))
                                  for labels, value in series]
        return news

    def total(self, name, **labels):
        return sum(value for found, value in self._series[name]
                   if all(found.get(key) == wanted for key, wanted in labels.items()))

    def labels(self, name, key):
        return list(dict.fromkeys(found[key] for found, _ in self._series[name] if key in found))

    def quantile(self, name, share, **labels):
        """The upper bound of the bucket that holds the share; None without observations."""
        buckets = collections.Counter()
        for found, value in self._series[name + "_bucket"]:
            if all(found.get(key) == wanted for key, wanted in labels.items()):
                buckets[float(found["le"])] += value
        ordered = sorted(buckets.items())
        if not ordered or ordered[-1][1] == 0:
            return None
        return next(bound for bound, count in ordered if count >= share * ordered[-1][1])


def together(parts):
    """What counters and histograms have counted in several spans; the same series may stand there several times."""
    whole = Metrics()
    for part in parts:
        for name, series in part._series.items():
            whole._series[name] += series
    return whole
