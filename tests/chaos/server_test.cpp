// SPDX-License-Identifier: Apache-2.0
//
// The server goes away, or ends our sessions.
#include <catch2/catch.hpp>

#include "support/river.hpp"

namespace lockkeeper::test {
namespace {

void terminate(River& river, const std::string& which) {
  river.database().sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity a"
      " WHERE usename = 'lockkeeper' AND datname = current_database() AND " +
      which);
}

const std::string kHoldsLock =
    "EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'"
    " AND l.objsubid = 1)";

}  // namespace

TEST_CASE("a daemon outlives the end of any of its sessions", "[chaos][server][T19]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  auto other = river.settings();
  other.name = "lockkeeper-2";
  const Daemon standby(other);
  river.enqueue(300, 3s);
  river.abandon(10);
  const auto former = river.holder_pid();

  SECTION("the leader's") {
    terminate(river, kHoldsLock);
    CHECK(eventually([&] { return river.holder_pid() != former && river.holder_pid() != 0; }, 5s));
  }
  SECTION("the control connection's") {
    terminate(river, "application_name = 'lockkeeper' AND NOT " + kHoldsLock);
    CHECK(river.holder_pid() == former);
  }
  SECTION("the standby's") { terminate(river, "application_name = 'lockkeeper-2'"); }
  SECTION("all, ten times over") {
    for (int i = 0; i < 10; ++i) {
      terminate(river, "true");
      REQUIRE(eventually([&] { return !river.holder().empty(); }));
    }
  }

  CHECK(river.verdict() == "");
}

TEST_CASE("a server that restarts is led again, and nothing is lost", "[chaos][server]") {
  River river;
  auto& server = Server::instance();
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.enqueue(300, 2s);
  river.abandon(10);
  const bool within_statement = GENERATE(false, true);
  if (within_statement) {
    river.slow_down(900ms);
    REQUIRE(eventually([&] { return river.is_in_statement(); }));
  }

  SECTION("fast") { server.stop_fast(); }
  SECTION("immediate") { server.stop_immediate(); }
  server.start();
  river.database().reconnect();
  river.speed_up();

  CHECK(eventually([&] { return river.is_led_by(daemon); }, 10s));
  CHECK(river.verdict() == "");
  CHECK_FALSE(daemon.wait(0ms));
}

TEST_CASE("a server that is down for long is waited for", "[chaos][server]") {
  River river;
  auto& server = Server::instance();
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.enqueue(100, 1s);

  server.stop_fast();
  CHECK(eventually([&] { return daemon.has_logged("cannot connect"); }));
  CHECK_FALSE(daemon.wait(20s));
  server.start();
  river.database().reconnect();

  CHECK(eventually([&] { return river.is_led_by(daemon); }, 15s));
  CHECK(river.verdict() == "");
}

TEST_CASE("a server that is down at the start is waited for", "[chaos][server]") {
  River river;
  auto& server = Server::instance();
  river.enqueue(100, 1s);
  server.stop_fast();
  Daemon daemon(river.settings());
  CHECK(eventually([&] { return daemon.has_logged("cannot connect"); }));

  server.start();
  river.database().reconnect();

  CHECK(eventually([&] { return river.is_led_by(daemon); }, 15s));
  CHECK(river.verdict() == "");
}

TEST_CASE("a schema that is gone for a moment is led again", "[chaos][schema]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.database().sql("ALTER SCHEMA awa RENAME TO aside");
  CHECK(eventually([&] { return daemon.status().find("schema") != std::string::npos; }));

  river.database().sql("ALTER SCHEMA aside RENAME TO awa");

  river.enqueue(100, 1s);
  CHECK(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(river.verdict() == "");
}

}  // namespace lockkeeper::test
