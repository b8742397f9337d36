# SPDX-License-Identifier: Apache-2.0
"""How late a process wakes up that does nothing but sleep: what the machine itself adds to all that is
measured beside it. Run as a program, it sleeps until its input ends and prints the longest delay.
"""

import select
import subprocess
import sys
import time

NAP = 0.01  # seconds


class Longest:
    """Of the delays between moments at which it should have been a nap later than the last."""

    def __init__(self, begin):
        self._last = begin
        self.delay = 0.0

    def woken(self, at):
        self.delay = max(self.delay, at - self._last - NAP)
        self._last = at


class Sleeper:
    def __enter__(self):
        self._process = subprocess.Popen([sys.executable, "-B", __file__], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        return self

    def longest_ms(self):
        """Ends it."""
        answer, _ = self._process.communicate()
        return round(float(answer) * 1000, 1)

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


def main():
    longest = Longest(time.monotonic())
    while not select.select([sys.stdin], [], [], NAP)[0]:
        longest.woken(time.monotonic())
    print(longest.delay)


if __name__ == "__main__":
    main()
