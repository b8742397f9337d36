// SPDX-License-Identifier: Apache-2.0
//
// The session ends, the server ends, the leader stands still: the lock is free, and somebody
// leads again.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "pg/target.hpp"
#include "support/candidate.hpp"
#include "support/captured_log.hpp"
#include "support/database.hpp"
#include "support/proxy.hpp"
#include "support/replica.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using leadership::State;

namespace {

// Ends the sessions of our login that do, or do not, hold the maintenance lock.
void terminate(const Database& database, bool holders) {
  database.sql(std::string("SELECT pg_terminate_backend(pid) FROM pg_stat_activity a"
                           " WHERE usename = 'lockkeeper' AND datname = current_database() AND ") +
               (holders ? "" : "NOT ") +
               "EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')");
}

// How a statement of the leader ends that is cancelled in the middle.
pg::SqlState cancelled_sleep(event::Loop& loop, Candidate& candidate, const Database& database) {
  std::optional<pg::SqlState> state;
  const auto sleep =
      std::make_shared<const pg::Statement>(pg::Statement{"", "SELECT pg_catalog.pg_sleep(0.9)"});
  candidate.connection()->send({pg::Call{sleep, {}}},
                               [&](const pg::Replies& replies) { state = replies[0].state; });
  REQUIRE(loop.run_until(
      [&] {
        return database.value(
                   "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                   " AND datname = current_database()") == "1";
      },
      10s));
  std::optional<bool> was_answered;
  candidate.election().cancel(5s, [&](bool answered) { was_answered = answered; });
  REQUIRE(loop.run_until([&] { return state && was_answered; }, 10s));
  CHECK(*was_answered);
  return *state;
}

}  // namespace

TEST_CASE("a leader whose backend is ended says so and leads again", "[leadership][fault]") {
  const Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 10s));

  terminate(database, true);

  REQUIRE(loop.run_until([&] { return candidate.losses().size() == 1; }, 10s));
  CHECK_THAT(candidate.losses()[0], Catch::Contains("the connection ended"));
  CHECK(loop.run_until([&] { return candidate.times_led() == 2; }, 10s));
}

TEST_CASE("a lost control connection comes back and the leader leads on", "[leadership][fault]") {
  const Database database;
  CapturedLog log;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  const auto& view = candidate.election().view();
  REQUIRE(loop.run_until([&] { return candidate.leads() && view.control_connected; }, 10s));

  terminate(database, false);

  REQUIRE(loop.run_until([&] { return !view.control_connected; }, 10s));
  REQUIRE(loop.run_until([&] { return view.control_connected; }, 10s));
  CHECK(candidate.times_led() == 1);
  CHECK(candidate.losses().empty());
  const auto told = log.text();
  CHECK_THAT(told, Catch::Contains("there is no control connection") &&
                       Catch::Contains("terminating connection due to administrator command"));
  CHECK(occurrences(told, "the control connection is there again") == 1);
}

TEST_CASE("the leader's statement can be cancelled, with and without control",
          "[leadership][cancel]") {
  const Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  const auto& view = candidate.election().view();
  REQUIRE(loop.run_until([&] { return candidate.leads() && view.control_connected; }, 10s));
  candidate.freeze();
  REQUIRE(loop.run_until(
      [&] { return candidate.connection()->state() == pg::Connection::State::idle; }, 10s));
  if (GENERATE(false, true)) {
    terminate(database, false);
    REQUIRE(loop.run_until([&] { return !view.control_connected; }, 10s));
  }

  CHECK(cancelled_sleep(loop, candidate, database).is_cancelled());
}

TEST_CASE("a control connection to another server than the leader's cancels nothing there",
          "[leadership][cancel][hosts]") {
  const Database database;
  const Replica replica(Server::instance());
  const auto& primary = Server::instance();
  Proxy proxy("127.0.0.1", primary.port());
  event::Loop loop;
  Candidate candidate(
      loop,
      election_settings("postgres://lockkeeper@127.0.0.1:" + std::to_string(proxy.port()) +
                        ",127.0.0.1:" + std::to_string(replica.port()) + "/" + database.name()));
  candidate.election().start();
  const auto& view = candidate.election().view();
  REQUIRE(loop.run_until([&] { return candidate.leads() && view.control_connected; }, 10s));
  replica.promote();
  proxy.refuse(true);
  terminate(database, false);
  REQUIRE(loop.run_until([&] { return !view.control_connected; }, 10s));
  REQUIRE(loop.run_until([&] { return view.control_connected; }, 10s));
  REQUIRE(candidate.leads());
  proxy.refuse(false);
  candidate.freeze();
  REQUIRE(loop.run_until([&] { return candidate.is_idle(); }, 10s));

  const auto state = cancelled_sleep(loop, candidate, database);

  CHECK(state.is_cancelled());
}

TEST_CASE("a leader that stands still loses the lock to the dead-man switch",
          "[leadership][fault]") {
  const Database database;
  event::Loop loop;
  event::Loop others;
  auto settings = election_settings(database.url());
  settings.idle_limit = 500ms;
  Candidate frozen(loop, settings);
  frozen.election().start();
  REQUIRE(loop.run_until([&] { return frozen.leads(); }, 10s));
  Candidate standby(others, election_settings(database.url()));
  standby.election().start();

  // The loop of the frozen one is not turned any more, as if the process were stopped.
  CHECK(others.run_until([&] { return standby.leads(); }, 10s));

  CHECK(loop.run_until([&] { return frozen.losses().size() == 1; }, 10s));
}

TEST_CASE("a database that is down at the start is waited for", "[leadership][fault]") {
  auto& server = Server::instance();
  Database database;
  server.stop_fast();
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::waiting; }, 10s));
  CHECK_THAT(candidate.sentence(), Catch::Contains("cannot connect to lockkeeper@127.0.0.1"));

  server.start();
  database.reconnect();

  CHECK(loop.run_until([&] { return candidate.leads(); }, 20s));
}

TEST_CASE("a server that restarts is led again", "[leadership][fault]") {
  auto& server = Server::instance();
  Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 10s));

  if (GENERATE(false, true)) {
    server.stop_immediate();
  } else {
    server.stop_fast();
  }
  REQUIRE(loop.run_until([&] { return candidate.losses().size() == 1; }, 10s));
  server.start();
  database.reconnect();

  CHECK(loop.run_until([&] { return candidate.times_led() == 2; }, 20s));
}

TEST_CASE("a resolver that hangs stops neither the loop nor the next try", "[leadership][fault]") {
  const Database database;
  event::Loop loop;
  const auto hangs = std::make_shared<std::atomic<bool>>(true);
  pg::set_look_up([hangs](const std::string&) {
    while (*hangs) std::this_thread::sleep_for(10ms);
    return std::vector<std::string>{"127.0.0.1"};
  });
  auto settings = election_settings(
      "postgres://lockkeeper@db.example:" + std::to_string(Server::instance().port()) + "/" +
      database.name());
  settings.connect_limit = 300ms;
  Candidate candidate(loop, settings);
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::waiting; }, 10s));
  CHECK_THAT(candidate.sentence(), Catch::Contains("looking up"));

  *hangs = false;

  CHECK(loop.run_until([&] { return candidate.leads(); }, 20s));
  pg::set_look_up(pg::system_look_up);
}

TEST_CASE("a dead first host does not keep us from the second", "[leadership][hosts]") {
  const Database database;
  event::Loop loop;
  const auto url = "postgres://lockkeeper@127.0.0.1:" + std::to_string(free_port()) +
                   ",127.0.0.1:" + std::to_string(Server::instance().port()) + "/" +
                   database.name();
  Candidate candidate(loop, election_settings(url));

  candidate.election().start();

  CHECK(loop.run_until([&] { return candidate.leads(); }, 10s));
}

}  // namespace lockkeeper::test
