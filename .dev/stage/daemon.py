# SPDX-License-Identifier: Apache-2.0
"""Lockkeeper beside the workers: its configuration and its process."""

import pathlib
import urllib.error
import urllib.request

import children
from metrics import Metrics

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "lockkeeper"

CONFIGURATION = """
[database]
url = "{url}"
role = "app"
application_name = "{name}"

[leadership]
takeover = "terminate"
declaration_window = {has_windows}
window_interval = "{interval}"

[http]
listen = "127.0.0.1:{port}"

{branches}
"""

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Daemon:
    def __init__(self, url, folder, branches="", name="lockkeeper", windows="1m", program=PROGRAM):
        """The branches are tables of the configuration; the name tells several daemons apart, and is
        that of their sessions.
        Windows, in which workers lead for a moment so that they can publish schedules, are so far apart; with None
        there are none."""
        self.port = children.free_port()
        self.log = folder / f"{name}.log"
        configuration = folder / f"{name}.toml"
        configuration.write_text(CONFIGURATION.format(
            url=url, name=name, port=self.port, branches=branches,
            has_windows=str(windows is not None).lower(), interval=windows or "1m"))
        self.process = children.start([program, "-c", configuration, "run"], self.log)
        self.ever_led = False

    def scrape(self):
        try:
            with _direct.open(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as answer:
                metrics = Metrics(answer.read().decode())
        except (OSError, urllib.error.URLError):
            return Metrics()
        self.ever_led = self.ever_led or metrics.total("lockkeeper_leader") == 1
        return metrics

    def stop(self):
        return children.stop(self.process)

    def last_words(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
