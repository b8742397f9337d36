# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: a page in place on a terminal, plain lines elsewhere."""

import shutil
import sys
import time

import verdict

LINE_EVERY = 5.0  # seconds, where there is no terminal

_BOLD, _DIM, _GREEN, _RED, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m"


def milliseconds(seconds):
    if seconds is None:
        return "-"
    return "more" if seconds == float("inf") else f"{seconds * 1000:g} ms"


class Screen:
    def __init__(self):
        self.is_terminal = sys.stdout.isatty()
        self.began = time.monotonic()
        self._last_line = 0.0
        self.news = []

    def say(self, text):
        """A sentence that is worth remembering."""
        self.news = [*self.news[-5:], f"{time.monotonic() - self.began:6.1f} s  {text}"]
        if not self.is_terminal:
            print(self.news[-1], flush=True)

    def show(self, counts, metrics, fleet):
        if self.is_terminal:
            self._page(counts, metrics, fleet)
        elif time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            print(self._line(counts, metrics), flush=True)

    def _line(self, counts, metrics):
        late = metrics.quantile("lockkeeper_branch_start_lateness_seconds", 0.99, lane="slo")
        rows = {branch: int(metrics.total("lockkeeper_branch_rows_total", branch=branch))
                for branch in verdict.MOVERS}
        leads = "leads" if metrics.total("lockkeeper_leader") else "does not lead"
        rescued = sum(count for branch, count in rows.items() if branch.startswith("rescue"))
        return (f"{time.monotonic() - self.began:6.1f} s  {leads}; jobs {counts['accepted']}, final "
                f"{counts['settled']}; promoted {rows['promote_scheduled']}, rescued {rescued}, fired {rows['cron_eval']}; slo lane "
                f"started within {milliseconds(late)} (p99)")

    def _page(self, counts, metrics, fleet):
        width = shutil.get_terminal_size().columns
        leads = metrics.total("lockkeeper_leader") == 1
        lines = [f"{_BOLD}Lockkeeper demo{_PLAIN}  {time.monotonic() - self.began:.0f} s  "
                 + (f"{_GREEN}leading{_PLAIN}" if leads else f"{_RED}not leading{_PLAIN}")
                 + f"  {_DIM}Ctrl-C ends it{_PLAIN}", ""]
        for lane in ("slo", "hygiene"):
            lines += [*self._lane(metrics, lane), ""]
        lines += [
            f"{_BOLD}jobs{_PLAIN}  accepted {counts['accepted']}  final {counts['settled']}  "
            f"started again after a kill {counts['rescued']}",
            f"{_BOLD}workers{_PLAIN}  {len(fleet.workers)} alive, {fleet.killed} killed: "
            + ", ".join(fleet.workers), "", *self.news]
        text = "\n".join(line if "\x1b" in line else line[:width] for line in lines)
        print("\x1b[H\x1b[J" + text, flush=True)

    def _lane(self, metrics, lane):
        late = "lockkeeper_branch_start_lateness_seconds"
        yield (f"{_BOLD}{lane:<26}{_PLAIN}{_DIM}{'late p50':>10}{'late p99':>10}{'passes':>9}"
               f"{'rows':>9}{'cut off':>9}{_PLAIN}")
        passes = "lockkeeper_branch_passes_total"
        branches = [branch for branch in sorted(metrics.labels(passes, "branch"))
                    if metrics.total(passes, branch=branch, lane=lane) > 0]
        for branch in branches:
            yield (f"  {branch:<24}{milliseconds(metrics.quantile(late, 0.5, branch=branch)):>10}"
                   f"{milliseconds(metrics.quantile(late, 0.99, branch=branch)):>10}"
                   f"{metrics.total(passes, branch=branch):>9.0f}"
                   f"{metrics.total('lockkeeper_branch_rows_total', branch=branch):>9.0f}"
                   f"{metrics.total('lockkeeper_preemptions_total', branch=branch):>9.0f}")
