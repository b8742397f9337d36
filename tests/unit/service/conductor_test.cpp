// SPDX-License-Identifier: Apache-2.0
//
// How the conductor stops.
#include "service/conductor.hpp"

#include <catch2/catch.hpp>

#include "unit/service/scripted_session.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using service::Conductor;

namespace {

// One statement a turn, and one turn a pass.
struct Asker final : service::Performer {
  Asker(Conductor& on, bool shields) : conductor(on), is_shielding(shields) {}
  void begin_pass(const scheduling::Action&) override {
    if (is_shielding) conductor.shield();
    conductor.send({pg::plain("SELECT 1")},
                   [this](const pg::Replies&) { conductor.end_pass(duty(), {}); });
  }
  void resume_pass() override {}

  Conductor& conductor;
  bool is_shielding;
};

// A conductor in the middle of a statement.
struct Fixture {
  explicit Fixture(bool shields = false) {
    conductor.emplace(loop, session, [this](auto on_answered) {
      ++cancels;
      loop.post([on_answered] { on_answered(true); });
    });
    conductor->add({"asker", scheduling::Lane::slo, 1h},
                   std::make_unique<Asker>(*conductor, shields));
    conductor->start();
    REQUIRE(session.is_busy());
  }
  bool wait(const std::function<bool()>& condition) { return loop.run_until(condition, 60s); }

  event::Loop loop;
  test::ScriptedSession session{loop};
  int cancels = 0;
  std::optional<Conductor> conductor;
  bool is_stopped = false;
};

}  // namespace

TEST_CASE("a conductor that stops cancels until the turn has ended", "[service][conductor]") {
  Fixture fixture;

  fixture.conductor->stop([&] { fixture.is_stopped = true; });

  REQUIRE(fixture.wait([&] { return fixture.cancels >= 3; }));
  CHECK_FALSE(fixture.is_stopped);
  fixture.session.answer("57014");
  CHECK(fixture.wait([&] { return fixture.is_stopped; }));
  CHECK(fixture.session.sent().size() == 1);
}

TEST_CASE("a conductor that stops does not cancel a commit", "[service][conductor]") {
  Fixture fixture(true);

  fixture.conductor->stop([&] { fixture.is_stopped = true; });
  fixture.session.answer();

  CHECK(fixture.wait([&] { return fixture.is_stopped; }));
  CHECK(fixture.cancels == 0);
}

TEST_CASE("a conductor that is destroyed calls nobody back", "[service][conductor]") {
  Fixture fixture;
  fixture.session.answer();
  REQUIRE(fixture.wait([&] { return !fixture.conductor->scheduler()->holder(); }));
  fixture.conductor->stop([&] { fixture.is_stopped = true; });

  fixture.conductor.reset();

  bool is_over = false;
  fixture.loop.post([&] { is_over = true; });
  REQUIRE(fixture.wait([&] { return is_over; }));
  CHECK_FALSE(fixture.is_stopped);
}
