// SPDX-License-Identifier: Apache-2.0
//
// Whom a daemon ends that has stepped aside, and whom it does not, when its takeover is "wait".
#include <catch2/catch.hpp>

#include "support/candidate.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using leadership::State;

namespace {

constexpr auto kTryLock = "SELECT pg_try_advisory_lock(4708303813012965710)";

// Of a login whose sessions we may end.
Session worker(const Database& database) {
  Session worker(database.url());
  worker.sql("SET application_name = 'a worker'");
  return worker;
}

// Longer than a daemon needs to find out who holds the lock and to end it.
bool is_left_alone(event::Loop& loop, const Candidate& candidate, const Session& worker) {
  if (loop.run_until([&] { return candidate.leads(); }, 2500ms)) return false;
  return worker.value("SELECT 'still there'") == "still there";
}

}  // namespace

TEST_CASE("who is told to step aside and does not lead ends nobody", "[leadership][window]") {
  const Database database;
  const auto holder = worker(database);
  REQUIRE(holder.value(kTryLock) == "t");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::standby; }, 10s));

  candidate.step_aside();

  CHECK(is_left_alone(loop, candidate, holder));
}

TEST_CASE("who loses its session while it stands aside waits for the worker that leads",
          "[leadership][window]") {
  const Database database;
  const auto holder = worker(database);
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.is_idle(); }, 10s));
  candidate.step_aside();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::aside; }, 10s));
  REQUIRE(holder.value(kTryLock) == "t");

  database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE application_name = 'lockkeeper' AND datname = current_database()");

  REQUIRE(loop.run_until([&] { return candidate.state() == State::standby; }, 20s));
  CHECK(is_left_alone(loop, candidate, holder));
}

}  // namespace lockkeeper::test
