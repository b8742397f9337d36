// SPDX-License-Identifier: Apache-2.0
//
// Who leads: one, and only one, and the next one soon.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "support/candidate.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using leadership::State;

constexpr auto kHolder =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND classid = 1096237407 AND objid = 1296124238 AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

TEST_CASE("a candidate becomes the leader of a real Awa database", "[leadership][election]") {
  const Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 10s));
  CHECK(candidate.state() == State::leading);
  CHECK(database.value(kHolder) == "1");
  CHECK(candidate.examination().planes.rings == awa::RingShape{16, 8, 8});
}

TEST_CASE("of two candidates that start together exactly one leads", "[leadership][election]") {
  const Database database;
  for (int round = 0; round < 20; ++round) {
    event::Loop loop;
    Candidate one(loop, election_settings(database.url()));
    Candidate other(loop, election_settings(database.url()));

    one.election().start();
    other.election().start();

    REQUIRE(loop.run_until(
        [&] {
          return (one.leads() && other.state() == State::standby) ||
                 (other.leads() && one.state() == State::standby);
        },
        10s));
    CHECK(one.leads() != other.leads());
    CHECK(database.value(kHolder) == "1");
  }
}

TEST_CASE("a standby says who holds the lock", "[leadership][standby]") {
  const Database database;
  auto holder = database.session();
  holder.sql("SET application_name = 'awa-worker'; SELECT pg_advisory_lock(4708303813012965710)");
  const auto pid = holder.value("SELECT pg_backend_pid()");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.election().view().holder.has_value(); }, 10s));
  REQUIRE(loop.run_until([&] { return candidate.state() == State::standby; }, 10s));
  CHECK(std::to_string(candidate.election().view().holder->pid) == pid);
  CHECK_THAT(candidate.sentence(), Catch::Contains("pid " + pid + " (awa-worker) since "));
}

TEST_CASE("with takeover wait the holder is left alone until it lets go",
          "[leadership][takeover]") {
  const Database database;
  auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::standby; }, 10s));
  CHECK_FALSE(loop.run_until([&] { return candidate.leads(); }, 1500ms));

  holder.sql("SELECT pg_advisory_unlock(4708303813012965710)");

  CHECK(loop.run_until([&] { return candidate.leads(); }, 10s));
}

TEST_CASE("with takeover terminate the holder's backend is ended", "[leadership][takeover]") {
  const Database database;
  Session holder(database.url());
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.takeover = config::Takeover::terminate;
  Candidate candidate(loop, settings);

  candidate.election().start();

  CHECK(loop.run_until([&] { return candidate.leads(); }, 10s));
  CHECK_THROWS(holder.sql("SELECT 1"));
}

TEST_CASE("no Lockkeeper ends another", "[leadership][takeover]") {
  const Database database;
  Session holder(database.url());
  holder.sql(
      "SET application_name = 'lockkeeper-b';"
      "SELECT pg_advisory_lock(4708303813012965710)");
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.takeover = config::Takeover::terminate;
  Candidate candidate(loop, settings);
  candidate.election().start();

  CHECK_FALSE(loop.run_until([&] { return candidate.leads(); }, 2500ms));

  CHECK_NOTHROW(holder.sql("SELECT 1"));
}

TEST_CASE("a holder that may not be ended is named with the remedy", "[leadership][takeover]") {
  const Database database;
  auto holder = database.session();  // a superuser's, out of reach for an ordinary role
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.takeover = config::Takeover::terminate;
  Candidate candidate(loop, settings);

  candidate.election().start();

  const auto is_told = [&] {
    for (const auto& view : candidate.views()) {
      if (view.reason == "takeover_failed") return true;
    }
    return false;
  };
  REQUIRE(loop.run_until(is_told, 10s));
  CHECK_NOTHROW(holder.sql("SELECT 1"));
  CHECK_FALSE(candidate.leads());

  // Asked again and again, but not told again and again.
  std::set<std::string> questions;
  const auto has_asked_on = [&] {
    questions.insert(database.value(
        "SELECT max(query_start) FROM pg_stat_activity WHERE usename = 'lockkeeper'"));
    return questions.size() > 60;
  };
  REQUIRE(loop.run_until(has_asked_on, 30s));
  const auto& views = candidate.views();
  CHECK(std::count_if(views.begin(), views.end(), [](const leadership::View& view) {
          return view.state == State::taking_over;
        }) == 1);
}

TEST_CASE("a release is heard by a standby long before its poll", "[leadership][release]") {
  const Database database;
  event::Loop loop;
  auto patient = election_settings(database.url());
  patient.poll_interval = 60s;
  patient.idle_limit = 300s;
  Candidate leader(loop, election_settings(database.url()));
  Candidate standby(loop, patient);
  leader.election().start();
  REQUIRE(loop.run_until([&] { return leader.leads(); }, 10s));
  standby.election().start();
  REQUIRE(loop.run_until(
      [&] {
        const auto& view = standby.election().view();
        return view.state == State::standby && view.control_connected;
      },
      10s));

  leader.resign();

  CHECK(loop.run_until([&] { return standby.leads(); }, 10s));
  CHECK(leader.state() == State::stopped);
}

TEST_CASE("a clean stop frees the lock and says when it is done", "[leadership][release]") {
  const Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 10s));
  candidate.freeze();
  REQUIRE(loop.run_until(
      [&] { return candidate.connection()->state() == pg::Connection::State::idle; }, 10s));

  bool is_done = false;
  candidate.election().resign([&] { is_done = true; });

  REQUIRE(loop.run_until([&] { return is_done; }, 10s));
  CHECK(candidate.state() == State::stopped);
  CHECK(candidate.losses().empty());
  CHECK(loop.run_until([&] { return database.value(kHolder) == "0"; }, 10s));
}

TEST_CASE("a stop is answered in whatever state it comes", "[leadership][release]") {
  const Database database;
  event::Loop loop;
  const auto stop_in = GENERATE(State::stopped, State::connecting, State::examining, State::asking,
                                State::standby, State::confirming, State::leading);
  auto holder = database.session();
  if (stop_in == State::standby) holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  Candidate candidate(loop, election_settings(database.url()));
  if (stop_in != State::stopped) candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == stop_in; }, 10s));

  bool is_done = false;
  candidate.election().resign([&] { is_done = true; });

  CHECK(loop.run_until([&] { return is_done; }, 10s));
  CHECK(candidate.state() == State::stopped);
}

}  // namespace lockkeeper::test
