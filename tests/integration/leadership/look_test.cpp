// SPDX-License-Identifier: Apache-2.0
//
// A standby looks at the database between two questions, on the connection with which it asks.
#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

#include "support/candidate.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using leadership::State;

namespace {

constexpr auto kUnlock = "SELECT pg_advisory_unlock(4708303813012965710); NOTIFY lockkeeper";

const auto kNothing = std::make_shared<const pg::Statement>(pg::Statement{"", "SELECT 1"});
const auto kSlow =
    std::make_shared<const pg::Statement>(pg::Statement{"", "SELECT pg_catalog.pg_sleep(0.5)"});

Session holder_of(const Database& database) {
  auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  return holder;
}

}  // namespace

TEST_CASE("a standby looks now and then, and stays a standby for others", "[leadership][look]") {
  const Database database;
  const auto holder = holder_of(database);
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.look_every = 100ms;
  Candidate candidate(loop, settings);
  int looks = 0;
  int answers = 0;
  candidate.set_look([&](pg::Session& session, std::function<void()> done) {
    ++looks;
    session.send({pg::Call{kNothing, {}}}, [&, done = std::move(done)](const pg::Replies& replies) {
      answers += replies[0].ok() ? 1 : 0;
      done();
    });
  });

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return answers >= 3; }, 60s));
  CHECK(looks - answers <= 1);
  CHECK(candidate.state() == State::standby);
  CHECK(std::none_of(candidate.views().begin(), candidate.views().end(),
                     [](const auto& view) { return view.state == State::waiting; }));
}

TEST_CASE("a release that is heard during a look is followed by the question",
          "[leadership][look]") {
  const Database database;
  const auto holder = holder_of(database);
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  bool is_looking = false;
  // Whoever sends something else meanwhile meets a session that is busy, which is a defect.
  candidate.set_look([&](pg::Session& session, std::function<void()> done) {
    is_looking = true;
    session.send({pg::Call{kSlow, {}}}, [&, done = std::move(done)](const pg::Replies&) {
      is_looking = false;
      done();
    });
  });
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return is_looking; }, 60s));

  holder.sql(kUnlock);

  CHECK(loop.run_until([&] { return candidate.leads(); }, 60s));
  CHECK_FALSE(is_looking);
}

TEST_CASE("a session that ends during a look is replaced, whatever becomes of the look",
          "[leadership][look]") {
  const Database database;
  auto holder = holder_of(database);
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  std::function<void()> end_look;
  candidate.set_look([&](pg::Session&, std::function<void()> done) { end_look = std::move(done); });
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return end_look != nullptr; }, 60s));
  const auto end_old_look = std::exchange(end_look, nullptr);
  candidate.set_look(nullptr);

  holder.sql(kUnlock);
  database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lockkeeper' AND "
      "datname = current_database()");

  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 60s));
  end_old_look();  // comes late and means nothing
  bool is_over = false;
  loop.post([&] { is_over = true; });
  REQUIRE(loop.run_until([&] { return is_over; }, 60s));
  CHECK(candidate.leads());
  CHECK(candidate.times_led() == 1);
}

}  // namespace lockkeeper::test
