# SPDX-License-Identifier: Apache-2.0
"""Where Lockkeeper's result differs from that of Awa's own leader on purpose, a row each: the
defect of the reference as docs/awa-parity.md lists it, the view of tables.py, what the reference
has there and Lockkeeper has not, or the other way round."""

import dataclasses
import typing


@dataclasses.dataclass
class Difference:
    defect: str
    view: str
    is_in_reference: bool  # otherwise in Lockkeeper's result
    explains: typing.Callable[[dict, dict], bool]  # a row, and the result that it stands in


def lives_on(row, result):
    """A job that is cancelled as a duplicate of itself: it is also retried."""
    alive = {other["job_id"] for view in ("deferred_jobs", "available") for other in result[view]}
    return row["state"] == "cancelled" and row["job_id"] in alive


DIFFERENCES = (
    Difference("D11", "done_entries", True, lives_on),
)
