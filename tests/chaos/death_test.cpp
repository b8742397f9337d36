// SPDX-License-Identifier: Apache-2.0
//
// The leader dies or stands still.
#include <catch2/catch.hpp>
#include <csignal>

#include "support/river.hpp"

namespace lockkeeper::test {
TEST_CASE("a leader that is killed while idle is followed at once", "[chaos][death][T19]") {
  River river;
  Daemon first(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(first); }));
  auto settings = river.settings();
  settings.name = "lockkeeper-2";
  Daemon second(settings);
  river.enqueue(200, 2s);
  river.abandon(20);

  first.kill();

  CHECK(eventually([&] { return river.is_led_by(second); }, 2s));
  CHECK(river.verdict() == "");
}

TEST_CASE("a leader that is killed within a statement leaves nothing half done",
          "[chaos][death][T28]") {
  River river;
  river.slow_down(700ms);
  Daemon first(river.settings());
  river.enqueue(50, 1ms);
  REQUIRE(eventually([&] { return river.is_in_statement(); }));
  auto settings = river.settings();
  settings.name = "lockkeeper-2";
  Daemon second(settings);

  first.kill();

  CHECK(eventually([&] { return river.is_led_by(second); }, 2s));
  river.speed_up();
  CHECK(river.verdict() == "");
}

TEST_CASE("a leader that stands still while idle loses the lock, and wakes up harmless",
          "[chaos][death]") {
  River river;
  Daemon first(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(first); }));
  auto settings = river.settings();
  settings.name = "lockkeeper-2";
  Daemon second(settings);

  first.send(SIGSTOP);
  CHECK(eventually([&] { return river.is_led_by(second); }, 3s));
  river.enqueue(100, 1s);
  first.send(SIGCONT);

  REQUIRE(eventually([&] { return first.is_in("standby"); }));
  CHECK(river.verdict() == "");
  CHECK(river.is_led_by(second));
}

TEST_CASE("a leader that stands still within a statement loses the lock", "[chaos][death]") {
  River river;
  river.slow_down(700ms);
  Daemon first(river.settings());
  river.enqueue(50, 1ms);
  REQUIRE(eventually([&] { return river.is_in_statement(); }));
  auto settings = river.settings();
  settings.name = "lockkeeper-2";
  Daemon second(settings);

  first.send(SIGSTOP);
  // The statement's own limit, the idle limit, and the question.
  CHECK(eventually([&] { return river.is_led_by(second); }, 4s));
  first.send(SIGCONT);

  river.speed_up();
  CHECK(river.verdict() == "");
}

TEST_CASE("two daemons started at once agree on one leader, twenty times", "[chaos][death][I10]") {
  River river;
  auto settings = river.settings();
  settings.name = "lockkeeper-2";
  for (int round = 0; round < 20; ++round) {
    river.enqueue(5, 10ms);
    Daemon first(river.settings());
    Daemon second(settings);
    REQUIRE(eventually([&] {
      return (first.leads() && second.is_in("standby")) ||
             (second.leads() && first.is_in("standby"));
    }));
  }
  const Daemon last(settings);
  CHECK(river.verdict() == "");
}

TEST_CASE("a daemon that is asked to stop gives the lock back, whatever it is at",
          "[chaos][stop]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.enqueue(50, 200ms);

  SECTION("leading") {}
  SECTION("leading, within a statement") {
    river.slow_down(900ms);
    river.enqueue(5, 1ms);
    REQUIRE(eventually([&] { return river.is_in_statement(); }));
  }
  daemon.send(SIGTERM);

  CHECK(daemon.wait(3s) == 0);
  CHECK(river.holder() == "");
  river.speed_up();
  daemon.start();
  CHECK(river.verdict() == "");
}

TEST_CASE("a daemon that does not lead stops as readily", "[chaos][stop]") {
  River river;
  auto& server = Server::instance();
  auto settings = river.settings();
  std::unique_ptr<Daemon> leader;
  std::unique_ptr<Proxy> proxy;
  SECTION("on standby") {
    leader = std::make_unique<Daemon>(settings);
    REQUIRE(eventually([&] { return river.is_led_by(*leader); }));
  }
  SECTION("while nobody answers it") {
    proxy = std::make_unique<Proxy>(server.host(), server.port());
    proxy->blackhole(true);
    settings.url = proxy->url("lockkeeper", river.database().name());
  }
  SECTION("while nobody listens") {
    proxy = std::make_unique<Proxy>(server.host(), server.port());
    proxy->refuse(true);
    settings.url = proxy->url("lockkeeper", river.database().name());
  }
  settings.name = "lockkeeper-2";
  Daemon daemon(settings);
  REQUIRE(eventually([&] { return daemon.has_logged("lockkeeper starts"); }));

  daemon.send(SIGTERM);

  CHECK(daemon.wait(3s) == 0);
}

TEST_CASE("a daemon whose session hangs stops within its limit", "[chaos][stop]") {
  River river;
  Proxy proxy(Server::instance().host(), Server::instance().port());
  auto settings = river.settings();
  settings.url = proxy.url("lockkeeper", river.database().name());
  Daemon daemon(settings);
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.slow_down(900ms);
  river.enqueue(5, 1ms);
  REQUIRE(eventually([&] { return river.is_in_statement(); }));

  proxy.blackhole(true);
  daemon.send(SIGTERM);

  CHECK(daemon.wait(4s) == 0);
  CHECK(eventually([&] { return river.holder().empty(); }, 3s));
  river.speed_up();
  const Daemon next(river.settings());
  CHECK(river.verdict() == "");
}

}  // namespace lockkeeper::test
