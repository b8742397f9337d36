// SPDX-License-Identifier: Apache-2.0
//
// When the leader looks at all of the schema, and when a glance is enough.
#include "service/gate_performer.hpp"

#include <catch2/catch.hpp>

#include "unit/service/scripted_session.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using scheduling::Lane;

namespace {

// Asks the database for nothing in its turns.
struct Idler final : service::Performer {
  explicit Idler(service::Conductor& on) : conductor(on) {}
  void begin_pass(const scheduling::Action&) override {
    if (in_turn) in_turn();
    conductor.end_pass(duty(), {});
  }
  void resume_pass() override {}

  service::Conductor& conductor;
  std::function<void()> in_turn;
};

struct Intervals {
  time::Duration slo = 1h;
  time::Duration gate = 1h;
};

// A gate beside a duty of the slo lane.
struct Fixture {
  explicit Fixture(const Intervals& intervals) {
    auto other = std::make_unique<Idler>(conductor);
    idler = other.get();
    conductor.add({"slo", Lane::slo, intervals.slo}, std::move(other));
    auto performer = std::make_unique<service::GatePerformer>(
        conductor, session, ground, awa::SwitchedOff(), [](const awa::Examination&) {});
    gate = performer.get();
    conductor.add({"examine", Lane::hygiene, intervals.gate}, std::move(performer));
    conductor.start();
  }

  // Ends the first look with a failure that says nothing of the schema.
  void look_once() {
    wait_for_question(1);
    REQUIRE_FALSE(was_glance());
    session.answer("53100");
  }
  void wait_for_question(std::size_t number) {
    REQUIRE(loop.run_until([&] { return session.is_busy(); }, 60s));
    REQUIRE(session.sent().size() == number);
  }
  bool was_glance() const { return session.sent().back().front() == "awa/gate/planes"; }

  event::Loop loop;
  test::ScriptedSession session{loop};
  int cancels = 0;
  service::Conductor conductor{loop, session, [this](auto on_answered) {
                                 ++cancels;
                                 loop.post([on_answered] { on_answered(true); });
                               }};
  service::Ground ground{awa::Examination()};
  Idler* idler = nullptr;
  service::GatePerformer* gate = nullptr;
};

}  // namespace

TEST_CASE("a full look that was taken back is followed by a full look", "[service][gate]") {
  Fixture fixture({.slo = 10ms});
  fixture.wait_for_question(1);
  REQUIRE_FALSE(fixture.was_glance());
  REQUIRE(fixture.loop.run_until([&] { return fixture.cancels > 0; }, 60s));

  fixture.session.answer("57014");

  fixture.wait_for_question(2);
  CHECK_FALSE(fixture.was_glance());
}

TEST_CASE("a full look is followed by a glance", "[service][gate]") {
  Fixture fixture({.gate = 5ms});
  fixture.look_once();

  fixture.wait_for_question(2);

  CHECK(fixture.was_glance());
}

TEST_CASE(
    "the first glance of a term gives back what was left locked, and so does one after a cancel",
    "[service][gate]") {
  Fixture fixture({.gate = 5ms});
  const std::vector<std::string> asked = {"awa/gate/planes", "awa/gate/give_back_locks"};
  fixture.look_once();
  fixture.wait_for_question(2);
  CHECK(fixture.session.sent().back() == asked);

  fixture.session.answer("57014");

  fixture.wait_for_question(3);
  fixture.session.answer("53100");  // of a full look
  fixture.wait_for_question(4);
  CHECK(fixture.session.sent().back() == asked);
}

TEST_CASE("what has changed is followed by a full look at once", "[service][gate]") {
  Fixture fixture({.slo = 200ms});
  fixture.look_once();

  fixture.idler->in_turn = [&] { fixture.gate->look_at_all(); };

  fixture.wait_for_question(2);
  CHECK_FALSE(fixture.was_glance());
}
