# SPDX-License-Identifier: Apache-2.0
"""Processes that never outlive the one that started them, however it ends."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def server_user():
    """PostgreSQL refuses root: then it runs as Debian's own user for it."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else None


def _prepare(user, death_signal):
    def prepare():
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        # After the change of user, which clears it.
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
    return prepare


def start(words, log, user=None, death_signal=signal.SIGKILL, env=None):
    """In a session of its own, so that Ctrl-C reaches only whoever started it."""
    with open(log, "ab") as output:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                start_new_session=True, env=env,
                                preexec_fn=_prepare(user, death_signal))


def run(words, user=None):
    """Waits for a program and returns what it wrote; if the waiting is cut short, its whole group
    ends with it."""
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, start_new_session=True,
                             preexec_fn=_prepare(user, signal.SIGKILL))
    try:
        output, _ = child.communicate()
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    if child.returncode != 0:
        raise RuntimeError(f"{words[0]} failed:\n{output}")
    return output


def stop(process, number=signal.SIGTERM, limit=10.0):
    """Ends a process and says with what code; one that does not end in time is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
