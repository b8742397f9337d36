#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one fault at a time in lib/scheduling and asks the unit tests to find it.

Run by hand: tests/mutants/scheduling.py. Says who finds it: the simulation by itself, or only
another test. Exits with 1 if a fault survives. The checkout is not touched: the room is built
from a copy.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

from planting import plant

ROOT = pathlib.Path(__file__).resolve().parents[2]

# file, what stands there, what the fault makes of it, what is wrong then
MUTANTS = [
    ("turnstile.cpp", "if (turn_ || is_cancel_pending_) return std::nullopt;",
     "if (turn_) return std::nullopt;", "no barrier between a cancel and the next turn"),
    ("turnstile.cpp", "turn_->is_shielded) return", "false) return", "cancels during COMMIT"),
    ("turnstile.cpp", "if (!turn_ || turn_->is_taken_back) return false;", "if (!turn_) return false;",
     "COMMIT after a cancel was sent"),
    ("turnstile.cpp", "const auto asked = slo->since + limits_.grace;",
     "const auto asked = slo->since + 5 * limits_.grace;", "waits five graces"),
    ("turnstile.cpp", "if (turn_->is_taken_back) return cancelled_at_ + limits_.cancel_repeat;",
     "if (turn_->is_taken_back) return std::nullopt;", "a lost cancel is not repeated"),
    ("turnstile.cpp", "turn_ = Turn{holder, now, is_ahead_of_slo || is_tried(holder)};",
     "turn_ = Turn{holder, now, is_ahead_of_slo};", "no protection after five preemptions"),
    ("turnstile.cpp", "turn_ = Turn{holder, now, is_ahead_of_slo || is_tried(holder)};",
     "turn_ = Turn{holder, now, is_tried(holder)};", "a hungry turn is not protected"),
    ("turnstile.cpp", "return hungry != nullptr ? hungry : slo;", "return slo;",
     "an slo backlog starves hygiene"),
    ("turnstile.cpp", "return hungry != nullptr ? hungry : slo;",
     "return first(Lane::hygiene) != nullptr ? first(Lane::hygiene) : slo;", "hygiene before slo"),
    ("turnstile.cpp", "if (candidate.shape.heavy && is_after_heavy_) return false;", "",
     "two heavy pieces in a row"),
    ("turnstile.cpp", "if (now >= patience_ends(candidate)) return true;", "", "no patience"),
    ("turnstile.cpp", "return turn_->is_protected ? std::max(asked, turn_->started + limits_.protected_turn) : asked;",
     "return turn_->is_protected ? turn_->started + std::chrono::hours(1) : asked;",
     "a protected turn without a bound"),
    ("scheduler.cpp", "seat.tick += seat.duty.every;", "seat.tick = now + seat.duty.every;",
     "due times drift"),
    ("scheduler.cpp", "seat.missed += static_cast<std::uint64_t>(swallowed);", "",
     "missed due times are not counted"),
    ("scheduler.cpp", "return impl_->want(duty, now);  // behind", "return impl_->want(duty, seat.due);  // behind",
     "a preempted pass goes before its whole lane again"),
    ("scheduler.cpp", "return std::max(at, seat.started + seat.duty.minimum_gap);", "return at;",
     "no gap between due-driven passes"),
    ("scheduler.cpp", "impl_->want(duty, now);\n}", "impl_->want(duty, seat.started);\n}",
     "a continuation goes before those who wait longer"),
    ("scheduler.cpp", "++seat.preemptions;", "", "preemptions are not counted"),
    ("scheduler.cpp", "if (seat.turn >= seat.preempted_in) seat.preemptions = 0;",
     "seat.preemptions = 0;", "a short first turn makes a pass forget that it was taken back"),
    ("scheduler.cpp", "if (seat.turn >= seat.preempted_in) seat.preemptions = 0;", "",
     "a pass that gets further is protected all the same"),
    ("wheel.cpp", "const auto last = std::min(target, turned_to_ + kSlots - 1);",
     "const auto last = std::min(target - 1, turned_to_ + kSlots - 1);", "the wheel stops a slot short"),
    ("wheel.cpp", "slots_[slot_of(std::max(tick_of(due), turned_to_))]", "slots_[slot_of(tick_of(due))]",
     "a due time in the past is lost for a turn"),
    ("wheel.cpp", "if (earliest && tick_of(*earliest) <= tick) return earliest;",
     "if (earliest) return earliest;", "a duty of the next turn hides a nearer one"),
    ("one_loop.cpp", "return waiting_.begin() + any(random_);", "return waiting_.begin();",
     "one loop has an order"),
    ("one_loop.cpp", "if (in_pass_) {", "if (false) {", "one loop changes the branch within a pass"),
    ("one_loop.cpp", "return never_cooled_.contains(duty.name) ||", "return", "one loop cools down everybody"),
    ("cool_down.hpp", "kDueTimes = 120", "kDueTimes = 119", "a cool-down that is too short"),
    ("cool_down.hpp", "every_ * 15", "every_ * 14", "a cool-down for those who are hardly late"),
    ("cool_down.hpp", "overruns_ = 0;\n", ";\n", "a cool-down after slow passes that are not in a row"),
    ("scheduler.cpp", "if (!policy->may_begin(entry.id, seat.duty)) {", "if (false) {", "nobody cools down"),
    ("overrun.hpp", "took * 10 > every_ * 15", "took * 10 > every_ * 12", "a pass of 1.3 intervals is too long"),
    ("overrun.hpp", "in_a_row_ < kInARow", "in_a_row_ < 2", "two long passes make a branch delayed"),
    ("overrun.hpp", "in_a_row_ = is_over == is_delayed_ ? 0 : in_a_row_ + 1;", "++in_a_row_;",
     "slow passes need not be in a row"),
    ("pace.hpp", "if (rows >= rows_) set", "set", "a batch that is not full grows the next"),
]


def build(copy):
    tests = sorted((ROOT / "tests/unit/scheduling").glob("*.cpp"))
    objects = copy / "tests"
    objects.mkdir()
    for test in tests:
        run(["g++", "-std=c++20", "-O1", "-I", copy, "-I", ROOT / "tests", "-c", test,
             "-o", objects / (test.stem + ".o")])
    return sorted(objects.glob("*.o"))


def run(words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, **options)


def fails(program, what):
    try:
        return subprocess.run([str(program), what], capture_output=True, timeout=60).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def killer(copy, objects):
    """Who finds the fault; empty if nobody does."""
    room = sorted((copy / "scheduling").glob("*.cpp"))
    words = ["g++", "-std=c++20", "-O1", "-I", copy, *room, *objects, "-o", copy / "tests_run"]
    try:
        run([*words, "-lCatch2WithMain", "-lCatch2"])
    except subprocess.CalledProcessError:
        run([*words, "-lCatch2WithMain"])
    for what, name in (("[simulation]", "simulation"), ("~[simulation]", "other test")):
        if fails(copy / "tests_run", what):
            return name
    return ""


def main():
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for room in ("scheduling", "time"):
            shutil.copytree(ROOT / "lib" / room, copy / room)
        objects = build(copy)
        if killer(copy, objects):
            raise SystemExit("the tests fail without a fault")
        for name, old, new, what in MUTANTS:
            path = copy / "scheduling" / name
            original = path.read_text()
            path.write_text(plant(original, old, new))
            own = objects
            if name.endswith(".hpp"):  # the tests include it
                shutil.rmtree(copy / "tests")
                own = build(copy)
            found_by = killer(copy, own)
            path.write_text(original)
            survivors += not found_by
            print(f"{found_by or 'SURVIVED':<10} {what}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
