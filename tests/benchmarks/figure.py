# SPDX-License-Identifier: Apache-2.0
"""What a benchmark has found: rows of a table, with the aim that each had."""

import dataclasses
import math


@dataclasses.dataclass
class Row:
    """One figure. Less is better, unless it has a `least` or says otherwise."""

    what: str
    unit: str
    ours: float | None
    ours_says: str = ""  # instead of the number, or behind it
    awa: float | None = None
    awa_says: str = ""  # instead of the number, or behind it
    most: float | None = None  # the aim: no more than this
    least: float | None = None  # the aim: no less than this
    times: float | None = None  # the aim: so many times better than Awa
    more_is_better: bool = False

    def ratio(self):
        """How many times better than Awa; None where one of them has no number, or both have nothing."""
        if self.ours is None or self.awa is None or self.ours == self.awa == 0:
            return None
        better, worse = (self.ours, self.awa) if self._more() else (self.awa, self.ours)
        return better / worse if worse else math.inf

    def is_met(self):
        """None without an aim. An Awa without a number is one that never got there."""
        if self.most is None and self.least is None and self.times is None:
            return None
        if self.ours is None:
            return False
        ratio = self.ratio()
        return ((self.most is None or self.ours <= self.most)
                and (self.least is None or self.ours >= self.least)
                and (self.times is None or ratio is None or ratio >= self.times))

    def aim(self):
        aims = [f"≤ {number(self.most)} {self.unit}"] if self.most is not None else []
        aims += [f"≥ {number(self.least)} {self.unit}"] if self.least is not None else []
        aims += [f"≥ {number(self.times)} × Awa"] if self.times is not None else []
        return ", ".join(aims)

    def cells(self):
        ratio = self.ratio()
        met = {None: "", True: "yes", False: "no"}[self.is_met()]
        return [self.what, self._cell(self.ours, self.ours_says), self._cell(self.awa, self.awa_says),
                "" if ratio is None else f"{number(ratio)} ×", self.aim(), met]

    def _more(self):
        return self.more_is_better or self.least is not None

    def _cell(self, value, says):
        return " ".join(part for part in ("" if value is None else f"{number(value)} {self.unit}".strip(), says)
                        if part)


HEADINGS = ["figure", "Lockkeeper", "Awa 0.6.9", "ratio", "aim", "met"]


def number(value):
    """Three digits that mean something, and no more."""
    if value is None:
        return ""
    if math.isinf(value):
        return "∞"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def quantile(values, share):
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def milliseconds(seconds):
    return None if seconds is None else seconds * 1000
