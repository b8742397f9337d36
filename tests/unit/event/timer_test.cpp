// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "event/loop.hpp"

namespace lockkeeper::event {
namespace {

using namespace std::chrono_literals;

constexpr auto kGenerous = 10s;

}  // namespace

TEST_CASE("timers fire in the order of their times", "[event][timer]") {
  Loop loop;
  std::vector<int> fired;
  Timer late(loop, [&] { fired.push_back(3); });
  Timer early(loop, [&] { fired.push_back(1); });
  Timer middle(loop, [&] { fired.push_back(2); });

  late.arm_in(60ms);
  early.arm_in(20ms);
  middle.arm_in(40ms);

  REQUIRE(loop.run_until([&] { return fired.size() == 3; }, kGenerous));
  CHECK(fired == std::vector{1, 2, 3});
}

TEST_CASE("a timer never fires before its time", "[event][timer]") {
  Loop loop;
  std::optional<time::TimePoint> fired;
  Timer timer(loop, [&] { fired = loop.now(); });
  const auto at = loop.now() + 1500us;

  timer.arm(at);

  REQUIRE(loop.run_until([&] { return fired.has_value(); }, kGenerous));
  CHECK(*fired >= at);
}

TEST_CASE("a time in the past fires from the loop, not from arm", "[event][timer]") {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });

  timer.arm(time::TimePoint{});

  CHECK(fired == 0);
  REQUIRE(loop.run_until([&] { return fired > 0; }, kGenerous));
  CHECK_FALSE(timer.is_armed());
}

TEST_CASE("a timer may be armed again inside its callback", "[event][timer]") {
  Loop loop;
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    if (++fired < 3) timer->arm_in(1ms);
  });

  timer->arm_in(1ms);

  REQUIRE(loop.run_until([&] { return fired == 3; }, kGenerous));
  CHECK_FALSE(timer->is_armed());
}

TEST_CASE("a timer may be destroyed inside its callback", "[event][timer]") {
  Loop loop;
  bool fired = false;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    timer.reset();
    fired = true;
  });

  timer->arm_in(1ms);

  CHECK(loop.run_until([&] { return fired; }, kGenerous));
}

TEST_CASE("a timer that is moved after it was due waits for its new time", "[event][timer]") {
  Loop loop;
  int moved_fired = 0;
  int witness_fired = 0;
  Timer moved(loop, [&] { ++moved_fired; });
  Timer mover(loop, [&] { moved.arm_in(1h); });
  Timer witness(loop, [&] { ++witness_fired; });

  // All are due in one turn of the loop; whichever order they come in, `moved` fires at most once.
  mover.arm(time::TimePoint{});
  moved.arm(time::TimePoint{});
  witness.arm_in(20ms);

  REQUIRE(loop.run_until([&] { return witness_fired == 1; }, kGenerous));
  CHECK(moved_fired <= 1);
  CHECK(moved.is_armed());
}

TEST_CASE("a disarmed timer stays silent", "[event][timer]") {
  Loop loop;
  bool fired = false;
  bool witnessed = false;
  Timer timer(loop, [&] { fired = true; });
  Timer witness(loop, [&] { witnessed = true; });

  timer.arm(time::TimePoint{});
  timer.disarm();
  witness.arm_in(5ms);

  REQUIRE(loop.run_until([&] { return witnessed; }, kGenerous));
  CHECK_FALSE(fired);
}

}  // namespace lockkeeper::event
