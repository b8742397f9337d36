// SPDX-License-Identifier: Apache-2.0
//
// How a term ends: once, for the strongest reason that was given.
#include "service/term.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/service/scripted_session.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using service::Term;
using Purpose = Term::Purpose;

namespace {

const std::vector<std::string> kFarewell = {"awa/registration/unregister"};

// One branch, and it has a farewell.
config::Settings settings() {
  auto settings = config::standard(display::branch_schemas());
  for (auto& [word, branch] : settings.branches) branch.enabled = word == "registration";
  return settings;
}

// Where the branch says in its passes that somebody leads.
awa::Examination in_queue_storage() {
  awa::Examination found;
  found.planes.transition_state = "active";
  return found;
}

// A term whose first passes are done. It is destroyed when it has ended, as the daemon does.
struct Fixture {
  Fixture() {
    term.emplace(Term::Circumstances{
        loop,
        session,
        [this](auto on_answered) { loop.post([on_answered] { on_answered(true); }); },
        registry,
        board,
        in_queue_storage(),
        "",
        {},
        10min,
        1s,
        [this](Purpose purpose) {
          ended.push_back(purpose);
          term.reset();
        },
        [](const auto&) {},
        {},
        scheduling::two_lanes});
    turn();
    while (session.is_busy()) {
      session.answer("53100");
      turn();
    }
  }

  // All that happens by itself and at once.
  void turn() {
    for (int i = 0; i < 5; ++i) {
      bool is_over = false;
      loop.post([&] { is_over = true; });
      REQUIRE(loop.run_until([&] { return is_over; }, 10s));
    }
  }
  void answer() {
    REQUIRE(session.is_busy());
    session.answer();
    turn();
  }
  bool is_saying_farewell() const {
    return session.is_busy() && session.sent().back() == kFarewell;
  }
  auto farewells() const {
    return std::count(session.sent().begin(), session.sent().end(), kFarewell);
  }

  event::Loop loop;
  metrics::Registry registry;
  display::Board board{registry, settings()};
  test::ScriptedSession session{loop};
  std::vector<Purpose> ended;
  std::optional<Term> term;
};

using Ended = std::vector<Purpose>;

}  // namespace

TEST_CASE("a term that ends says farewell first", "[service][term]") {
  const auto purpose = GENERATE(Purpose::window, Purpose::refusal, Purpose::stop);
  Fixture fixture;

  fixture.term->end(purpose);
  fixture.turn();

  CHECK(fixture.is_saying_farewell());
  CHECK(fixture.ended.empty());
  fixture.answer();
  CHECK(fixture.ended == Ended{purpose});
}

TEST_CASE("a term that is renewed says nothing, however often it was asked", "[service][term]") {
  Fixture fixture;

  fixture.term->end(Purpose::renewal);
  fixture.term->end(Purpose::renewal);
  fixture.turn();

  CHECK(fixture.ended == Ended{Purpose::renewal});
  CHECK(fixture.farewells() == 0);
}

TEST_CASE("a term that was to be renewed and is to stop says farewell", "[service][term]") {
  const auto purpose = GENERATE(Purpose::window, Purpose::stop);
  Fixture fixture;

  fixture.term->end(Purpose::renewal);
  fixture.term->end(purpose);
  fixture.turn();

  REQUIRE(fixture.is_saying_farewell());
  fixture.answer();
  CHECK(fixture.ended == Ended{purpose});
}

TEST_CASE("what is asked for during the farewell is not said again, and counts if it is stronger",
          "[service][term]") {
  const auto [asked, meant] = GENERATE(table<Purpose, Purpose>({
      {Purpose::renewal, Purpose::window},
      {Purpose::window, Purpose::window},
      {Purpose::refusal, Purpose::refusal},
      {Purpose::stop, Purpose::stop},
  }));
  Fixture fixture;
  fixture.term->end(Purpose::window);
  fixture.turn();
  REQUIRE(fixture.is_saying_farewell());

  fixture.term->end(asked);
  fixture.turn();
  fixture.answer();

  CHECK(fixture.ended == Ended{meant});
  CHECK(fixture.farewells() == 1);
}

TEST_CASE("a term that is destroyed while it ends calls nobody", "[service][term]") {
  const bool is_said = GENERATE(false, true);
  Fixture fixture;
  fixture.term->end(Purpose::stop);
  if (is_said) fixture.turn();

  fixture.term.reset();
  if (is_said) fixture.session.answer("08006");
  fixture.turn();

  CHECK(fixture.ended.empty());
}

TEST_CASE("the age of the turn in hand grows until it ends", "[service][term]") {
  Fixture fixture;
  CHECK(fixture.term->turn_age() == 0ns);
  REQUIRE(fixture.loop.run_until([&] { return fixture.session.is_busy(); }, 60s));

  const auto began = fixture.loop.now();
  event::Timer later(fixture.loop, [] {});
  later.arm_in(20ms);
  REQUIRE(fixture.loop.run_until([&] { return fixture.loop.now() >= began + 20ms; }, 60s));

  CHECK(fixture.term->turn_age() >= 20ms);
  while (fixture.session.is_busy()) {
    fixture.session.answer("53100");
    fixture.turn();
  }
  CHECK(fixture.term->turn_age() == 0ns);
}
