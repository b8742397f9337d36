# SPDX-License-Identifier: Apache-2.0
"""The systemd unit: valid, and exposed to at most 1.5 of 10 as systemd itself judges it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from source import ROOT, report

UNIT = "systemd/lockkeeper.service"
MOST_EXPOSED = 15  # systemd-analyze counts in tenths
NEEDED = ["Type=notify", "WatchdogSec=", "RestartPreventExitStatus=2 3", "Restart="]


def exposure_faults(path):
    words = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", path]
    run = subprocess.run([*words, "--no-pager"], capture_output=True, text=True)
    found = re.search(r"exposure level for \S+: ([\d.]+)", run.stdout)
    if not found:
        return [f"{UNIT}:1: systemd-analyze has no opinion: {run.stderr.strip()}"]
    if float(found[1]) * 10 > MOST_EXPOSED:
        return [f"{UNIT}:1: exposure {found[1]}, at most {MOST_EXPOSED / 10}"]
    return []


def verify_faults(text):
    """systemd's own check, with a program that exists everywhere in place of ours."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "lockkeeper.service"
        copy.write_text(re.sub(r"^(Exec\w+=)\S+", r"\1/bin/true", text, flags=re.MULTILINE))
        run = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
                             capture_output=True, text=True, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    return [f"{UNIT}:1: {line}" for line in run.stderr.splitlines() if "lockkeeper.service" in line]


def check(text):
    for line in NEEDED:
        if not re.search(rf"^{re.escape(line)}", text, re.MULTILINE):
            yield f"{UNIT}:1: {line} is missing"


if __name__ == "__main__":
    unit = (ROOT / UNIT).read_text(encoding="utf-8")
    found = list(check(unit))
    if shutil.which("systemd-analyze"):
        found += exposure_faults(ROOT / UNIT) + verify_faults(unit)
    report(found)
