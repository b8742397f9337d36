# SPDX-License-Identifier: Apache-2.0
"""How a run ends early: Ctrl-C and its relatives become one exception, once."""

import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked for the end."""


def ignore_signals():
    """From here on the clean-up is not disturbed."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _stop(*_):
    ignore_signals()
    raise Stopped


def raise_on_signals():
    for number in _SIGNALS:
        signal.signal(number, _stop)
