# SPDX-License-Identifier: Apache-2.0
"""The leader is killed, or frozen: how long until another holds the lock."""

import random
import signal
import time

import load
from figure import Row
from scene import wait_until

TITLE = "takeover after SIGKILL, and after SIGSTOP while idle"
KILLS = 100
FREEZES = 20
LIMIT = 15.0
AWA_KILLS = 20
AWA_FREEZE = 30.0  # three of its election intervals
AWA_INTERVAL = 10.0
OUR_INTERVAL = 0.25

IS_THERE = "SELECT count(*) > 0 FROM awa.runtime_instances WHERE pid = %s"


def measure_one(scene, victim, number, limit):
    """Seconds until another session holds the lock; None after the limit."""
    before = scene.holder()
    began = time.monotonic()
    victim.send_signal(number)
    while time.monotonic() - began < limit:
        holder = scene.holder()
        if holder and holder[0] != before[0]:
            return time.monotonic() - began
        time.sleep(0.0005)
    return None


def ours(bench, number, times):
    """Two daemons; whoever leads is the victim, and another one comes in its place."""
    taken = []
    with bench.scene() as scene:
        scene.lead()
        for _ in range(times):
            standby = scene.daemon()
            wait_until(lambda: standby.scrape().total("lockkeeper_leadership_state", state="standby"), 20,
                       "a standby is ready")
            time.sleep(random.uniform(0, OUR_INTERVAL))  # it has asked at its start
            victim = next(each for each in scene.daemons if each.scrape().total("lockkeeper_leader"))
            took = measure_one(scene, victim.process, number, LIMIT)
            if took is None:
                raise RuntimeError(f"nobody took over within {LIMIT:g} s")
            taken.append(took)
            victim.process.kill()
            victim.process.wait()
            scene.daemons.remove(victim)
            wait_until(lambda: standby.scrape().total("lockkeeper_leader"), 20, "the standby leads")
    return taken


def awa(bench, number, times, limit):
    """Two workers; None for a time at which nobody took over within the limit."""
    taken = []
    with bench.scene() as scene:
        leader = scene.lead_by_awa()
        for _ in range(times):
            standby = scene.worker()
            wait_until(lambda: scene.value(IS_THERE, standby.pid), 20, "the second worker is there")
            time.sleep(random.uniform(0, AWA_INTERVAL))
            taken.append(measure_one(scene, leader, number, limit))
            leader.kill()
            leader.wait()
            scene.workers.remove(leader)
            leader = standby
    return taken


def rows(label, mine, theirs, most):
    says = f"(of {len(theirs)})" if None not in theirs else f"never in {AWA_FREEZE:g} s"
    known = [each for each in theirs if each is not None]
    for name, our, their in zip(("p50", "p99", "max"), load.spread(mine), load.spread(known)):
        is_p99 = name == "p99"
        has_p99 = len(known) >= 100  # that of fewer is their maximum
        yield Row(f"{label}, {name} of {len(mine)}", "ms", our, awa=None if is_p99 and not has_p99 else their,
                  awa_says="" if is_p99 and known and not has_p99 else says, most=most if is_p99 else None)


def measure(bench):
    kills, freezes = int(bench.scaled(KILLS)), int(bench.scaled(FREEZES))
    bench.say(f"Lockkeeper: SIGKILL {kills} times")
    killed = ours(bench, signal.SIGKILL, kills)
    bench.say(f"Lockkeeper: SIGSTOP {freezes} times")
    frozen = ours(bench, signal.SIGSTOP, freezes)
    awa_kills = int(bench.scaled(AWA_KILLS))
    bench.say(f"Awa: SIGKILL {awa_kills} times")
    awa_killed = awa(bench, signal.SIGKILL, awa_kills, LIMIT)
    bench.say(f"Awa: SIGSTOP once, for {AWA_FREEZE:g} s")
    awa_frozen = awa(bench, signal.SIGSTOP, 1, AWA_FREEZE)
    return [*rows("SIGKILL", killed, awa_killed, 300), *rows("SIGSTOP", frozen, awa_frozen, 2000)]
