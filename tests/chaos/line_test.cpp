// SPDX-License-Identifier: Apache-2.0
//
// The line between the daemon and the server fails.
#include <catch2/catch.hpp>
#include <csignal>

#include "support/captured_log.hpp"
#include "support/client.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {
namespace {

// A daemon behind a proxy, leading.
struct Line {
  explicit Line(const std::string& stop_limit = "2s") {
    auto settings = river.settings();
    settings.stop_limit = stop_limit;
    settings.url = proxy.url("lockkeeper", river.database().name());
    daemon = std::make_unique<Daemon>(settings);
    REQUIRE(eventually([&] { return river.is_led_by(*daemon); }));
    REQUIRE(eventually([&] { return control_port() != 0; }));
  }

  int port_of(const std::string& which) {
    const auto port = river.database().value(
        "SELECT client_port FROM pg_stat_activity a WHERE usename = 'lockkeeper'"
        " AND datname = current_database() AND " +
        which +
        " EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.objsubid = 1"
        " AND l.locktype = 'advisory')");
    return port.empty() ? 0 : std::stoi(port);
  }
  int leader_port() { return port_of(""); }
  int control_port() { return port_of("NOT"); }

  River river;
  Proxy proxy{Server::instance().host(), Server::instance().port()};
  std::unique_ptr<Daemon> daemon;
};

}  // namespace

TEST_CASE("a connection that is reset in the middle of a result is opened anew", "[chaos][line]") {
  Line line;
  line.river.enqueue(300, 3s);
  line.river.abandon(10);

  for (int i = 0; i < 5; ++i) {
    const auto former = line.river.holder_pid();
    line.proxy.reset_after(static_cast<std::size_t>(37 + 100 * i), line.leader_port());
    REQUIRE(eventually([&] {
      const auto now = line.river.holder_pid();
      return now != 0 && now != former;
    }));
  }

  CHECK(line.river.verdict() == "");
}

TEST_CASE("a line that swallows everything costs the lock, and another daemon takes it",
          "[chaos][line]") {
  Line line;
  auto settings = line.river.settings();
  settings.name = "lockkeeper-2";
  const Daemon second(settings);
  line.river.enqueue(300, 3s);

  line.proxy.blackhole(true);
  CHECK(eventually([&] { return line.river.is_led_by(second); }, 4s));
  line.proxy.blackhole(false);

  CHECK(line.river.verdict() == "");
  CHECK(line.river.is_led_by(second));
}

TEST_CASE("a line that swallows everything within a transaction costs the lock too",
          "[chaos][line]") {
  Line line;
  line.river.slow_down(500ms);
  line.river.enqueue(50, 1ms);
  REQUIRE(eventually([&] { return line.river.is_in_statement(); }));

  line.proxy.blackhole(true);
  CHECK(eventually([&] { return line.river.holder().empty(); }, 4s));
  line.river.speed_up();
  line.proxy.blackhole(false);

  CHECK(eventually([&] { return line.river.is_led_by(*line.daemon); }, 20s));
  CHECK(line.river.verdict() == "");
}

TEST_CASE("a slow line only makes it slow", "[chaos][line]") {
  Line line;
  line.proxy.delay(20ms);
  line.river.enqueue(200, 1s);

  CHECK(line.river.verdict() == "");
  CHECK(line.river.is_led_by(*line.daemon));
}

TEST_CASE("cancels that come late or never harm nobody", "[chaos][line]") {
  Line line;
  const auto control = line.control_port();
  const auto pid = line.river.holder_pid();
  SECTION("late") { line.proxy.delay(30ms, control); }
  SECTION("never") { line.proxy.blackhole(true, control); }
  // Hygiene is made slow enough to be cancelled whenever a job falls due.
  line.river.database().sql(
      "CREATE FUNCTION public.slow_ring() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF session_user = 'lockkeeper' THEN PERFORM pg_sleep(0.3); END IF; RETURN NULL; END $$; "
      "CREATE TRIGGER bbb_slow BEFORE UPDATE ON awa.queue_ring_state FOR EACH STATEMENT "
      "EXECUTE FUNCTION public.slow_ring()");
  line.river.enqueue(300, 4s);
  line.river.abandon(10);

  CHECK(line.river.verdict() == "");
  CHECK(line.river.holder_pid() == pid);
  CHECK(line.daemon->metric("lockkeeper_preemptions_total") > 0);
  CHECK(line.daemon->metric("lockkeeper_branch_passes_total", {"outcome=\"failed\""}) == 0);
}

TEST_CASE("a daemon that is to stop and loses its session does not lead again", "[chaos][line]") {
  Line line("30s");
  REQUIRE(eventually([&] { return line.daemon->leads(); }));

  const auto leader = line.leader_port();
  line.proxy.blackhole(true, leader);
  REQUIRE(eventually([&] {
    return line.river.database().value(
               "SELECT count(*) FROM pg_stat_activity WHERE client_port = " +
               std::to_string(leader) +
               " AND state_change > clock_timestamp() - interval '100 milliseconds'") == "0";
  }));
  REQUIRE(eventually([&] {  // for good, since its answer does not come
    return fetch(line.daemon->address(), "/status").body.find("\"running\":true") !=
           std::string::npos;
  }));
  line.daemon->send(SIGTERM);
  REQUIRE(eventually([&] { return line.daemon->has_logged("a signal asks for the end"); }));
  line.proxy.reset(leader);

  CHECK(line.daemon->wait(kGenerous) == 0);
  CHECK_FALSE(line.daemon->has_logged("stop_limit"));
  CHECK(occurrences(line.daemon->log(), "msg=\"the lock is ours and the lanes run\"") == 1);
}

TEST_CASE("with two hosts the one that answers is led", "[chaos][line]") {
  River river;
  Proxy proxy(Server::instance().host(), Server::instance().port());
  SECTION("the first refuses") { proxy.refuse(true); }
  SECTION("the first swallows everything") { proxy.blackhole(true); }
  auto settings = river.settings();
  settings.url = "postgres://lockkeeper@127.0.0.1:" + std::to_string(proxy.port()) +
                 ",127.0.0.1:" + std::to_string(Server::instance().port()) + "/" +
                 river.database().name();
  const Daemon daemon(settings);
  river.enqueue(50, 500ms);

  CHECK(eventually([&] { return river.is_led_by(daemon); }, 15s));
  CHECK(river.verdict() == "");
}

}  // namespace lockkeeper::test
