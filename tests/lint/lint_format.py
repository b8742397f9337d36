# SPDX-License-Identifier: Apache-2.0
"""C++ as clang-format 14 leaves it: the version of Debian 12, since others differ."""

import re
import subprocess

from source import ROOT, report, tracked

TOOL = "clang-format-14"


def faults():
    names = [name for name in tracked() if name.endswith((".cpp", ".hpp"))]
    run = subprocess.run([TOOL, "--dry-run", *names], cwd=ROOT, capture_output=True, text=True)
    places = re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error): code should be clang-formatted",
                        run.stderr, re.MULTILINE)
    first = {}
    for name, line in places:
        first.setdefault(name, line)
    return [f"{name}:{line}: not formatted; ./dev format does it" for name, line in first.items()]


if __name__ == "__main__":
    report(faults())
