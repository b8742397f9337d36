# SPDX-License-Identifier: Apache-2.0
"""Two results beside each other."""

import collections
import json


def difference(expected, found):
    """Rows that only one of them has: (missing, surplus)."""
    theirs = collections.Counter(json.dumps(row, sort_keys=True) for row in expected)
    ours = collections.Counter(json.dumps(row, sort_keys=True) for row in found)
    return [[json.loads(row) for row in sorted((one - other).elements())] for one, other in ((theirs, ours), (ours, theirs))]


class Comparison:
    """Sentences about what differs and should not; and which of the known differences were seen."""

    def __init__(self, expected, found, known=()):
        self.seen = set()
        self.sentences = []
        for view in expected:
            missing, surplus = difference(expected[view], found[view])
            for word, rows in (("missing", missing), ("surplus", surplus)):
                for row in rows:
                    reasons = {each.reason for each in known if each.view == view
                               and each.is_in_reference == (word == "missing") and each.explains(row, expected, found)}
                    self.seen |= reasons
                    if not reasons:
                        self.sentences.append(f"{view}: {word} {row}")
