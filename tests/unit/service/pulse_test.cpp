// SPDX-License-Identifier: Apache-2.0
//
// The watchdog is fed by progress only. What these tests prove by waiting is that nothing comes:
// a slow machine can make such a wait longer, but not its result another.
#include "service/pulse.hpp"

#include <poll.h>

#include <catch2/catch.hpp>

#include "metrics/names.hpp"
#include "support/captured_log.hpp"
#include "support/notify_socket.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using service::Pulse;
using test::NotifySocket;
using test::Variable;

namespace {

constexpr auto kInterval = 60ms;

struct Fixture {
  NotifySocket systemd;
  Variable socket{"NOTIFY_SOCKET", systemd.path()};
  Variable interval{"WATCHDOG_USEC", std::to_string(std::chrono::microseconds(kInterval).count())};
  event::Loop loop;
  metrics::Registry registry;
};

}  // namespace

TEST_CASE("a loop that turns and progresses feeds the watchdog again and again",
          "[service][pulse]") {
  Fixture fixture;
  const Pulse pulse(fixture.loop, fixture.registry, [] { return true; });

  for (int pets = 0; pets < 5; ++pets) {
    std::string heard;
    REQUIRE(
        fixture.loop.run_until([&] { return !(heard = fixture.systemd.heard()).empty(); }, 10s));
    CHECK(heard == "WATCHDOG=1");
  }
}

TEST_CASE("a loop that turns without progress starves its watchdog, and says so",
          "[service][pulse]") {
  test::CapturedLog log;
  Fixture fixture;
  bool is_progressing = false;
  int looks = 0;
  const Pulse pulse(fixture.loop, fixture.registry, [&] {
    ++looks;
    return is_progressing;
  });

  REQUIRE(fixture.loop.run_until([&] { return looks >= 5; }, 10s));
  CHECK(fixture.systemd.heard().empty());
  is_progressing = true;
  REQUIRE(fixture.loop.run_until([&] { return looks >= 6; }, 10s));
  CHECK(fixture.systemd.heard() == "WATCHDOG=1");

  CHECK(test::occurrences(log.text(), "the watchdog is not fed") >= 1);
}

TEST_CASE("a loop that does not turn starves its watchdog", "[service][pulse]") {
  Fixture fixture;
  const Pulse pulse(fixture.loop, fixture.registry, [] { return true; });
  while (!fixture.systemd.heard().empty()) {
  }
  bool is_done = false;
  event::Timer stuck(fixture.loop, [&] {
    while (!fixture.systemd.heard().empty()) {
    }
    pollfd waits{fixture.systemd.descriptor(), POLLIN, 0};
    CHECK(::poll(&waits, 1, static_cast<int>((5 * kInterval).count())) == 0);
    is_done = true;
  });
  stuck.arm_in(1ms);

  REQUIRE(fixture.loop.run_until([&] { return is_done; }, 10s));
  CHECK(fixture.loop.run_until([&] { return !fixture.systemd.heard().empty(); }, 10s));
}

TEST_CASE("without systemd nothing is fed, and the loop is measured all the same",
          "[service][pulse]") {
  event::Loop loop;
  metrics::Registry registry;
  bool was_asked = false;
  const Pulse pulse(loop, registry, [&] { return was_asked = true; });
  const auto measured = [&] {
    return registry.render().find("lockkeeper_loop_delay_seconds_count 2") != std::string::npos;
  };

  CHECK(loop.run_until(measured, 10s));
  CHECK_FALSE(was_asked);
}
