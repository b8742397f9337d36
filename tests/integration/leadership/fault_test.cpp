// SPDX-License-Identifier: Apache-2.0
//
// The session ends, the server ends, the leader stands still: the lock is free, and somebody
// leads again.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "pg/target.hpp"
#include "support/candidate.hpp"
#include "support/database.hpp"

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
  CHECK(state->is_cancelled());
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
