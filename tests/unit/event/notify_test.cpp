// SPDX-License-Identifier: Apache-2.0
#include "event/notify.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "support/notify_socket.hpp"

namespace lockkeeper::event {
namespace {

using Listener = test::NotifySocket;
using test::Variable;

std::string unique(const std::string& prefix) { return prefix + std::to_string(::getpid()); }

}  // namespace

TEST_CASE("a notification is one datagram to the socket of systemd", "[event][notify]") {
  const Listener systemd(unique("/tmp/lockkeeper-notify-"));
  const Variable variable("NOTIFY_SOCKET", systemd.path());

  CHECK(notify("READY=1\nSTATUS=leading"));

  CHECK(systemd.heard() == "READY=1\nSTATUS=leading");
  CHECK(systemd.heard().empty());
}

TEST_CASE("an at sign means a socket in the abstract namespace", "[event][notify]") {
  const Listener systemd(unique("@lockkeeper-notify-"));
  const Variable variable("NOTIFY_SOCKET", systemd.path());

  notify("WATCHDOG=1");

  CHECK(systemd.heard() == "WATCHDOG=1");
}

TEST_CASE("nothing happens when systemd does not listen", "[event][notify]") {
  SECTION("no variable") { CHECK_FALSE(notify("READY=1")); }
  SECTION("an empty variable, nobody there, or a path that no socket can have") {
    const auto path =
        GENERATE(std::string(), std::string("/nonexistent/socket"), std::string(500, 'x'));
    const Variable variable("NOTIFY_SOCKET", path);
    CHECK_FALSE(notify("READY=1"));
  }
}

TEST_CASE("a systemd that reads nothing does not stop us", "[event][notify]") {
  const Listener systemd(unique("@lockkeeper-deaf-"));
  const Variable variable("NOTIFY_SOCKET", systemd.path());

  for (int i = 0; i < 5000; ++i) notify("WATCHDOG=1");

  CHECK(systemd.heard() == "WATCHDOG=1");
}

TEST_CASE("the watchdog's interval is the one of this process", "[event][notify]") {
  CHECK_FALSE(watchdog_interval());
  const Variable interval("WATCHDOG_USEC", "2500000");
  CHECK(watchdog_interval() == std::chrono::milliseconds(2500));

  SECTION("meant for us") {
    const Variable process("WATCHDOG_PID", std::to_string(::getpid()));
    CHECK(watchdog_interval() == std::chrono::milliseconds(2500));
  }
  SECTION("meant for another process") {
    const Variable process("WATCHDOG_PID", "1");
    CHECK_FALSE(watchdog_interval());
  }
}

TEST_CASE("a watchdog interval that is no number is none", "[event][notify]") {
  const auto* text = GENERATE("", "0", "-5", "1s", " 7", "99999999999999999999");
  const Variable interval("WATCHDOG_USEC", text);
  CHECK_FALSE(watchdog_interval());
}

}  // namespace lockkeeper::event
