// SPDX-License-Identifier: Apache-2.0
#include "leadership/state.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "support/checkout.hpp"

namespace lockkeeper::leadership {
namespace {

struct Case {
  State state;
  Event event;
  State next;
  Action action;
};

// Every pair that changes something; what is not here changes nothing.
constexpr Case kCases[] = {
    {State::stopped, Event::started, State::connecting, Action::connect},
    {State::stopped, Event::resigned, State::stopped, Action::finish},

    {State::waiting, Event::retry_due, State::connecting, Action::connect},
    {State::waiting, Event::resigned, State::stopped, Action::finish},

    {State::connecting, Event::connected, State::examining, Action::examine},
    {State::connecting, Event::connect_failed, State::waiting, Action::retry_later},
    {State::connecting, Event::doubt, State::waiting, Action::retry_later},
    {State::connecting, Event::resigned, State::stopped, Action::finish},

    {State::examining, Event::accepted, State::asking, Action::ask},
    {State::examining, Event::disqualified, State::refused, Action::look_again_later},
    {State::examining, Event::pooler_found, State::pooler_refused, Action::give_up},
    {State::examining, Event::doubt, State::waiting, Action::retry_later},
    {State::examining, Event::resigned, State::stopped, Action::finish},

    {State::refused, Event::retry_due, State::connecting, Action::connect},
    {State::refused, Event::resigned, State::stopped, Action::finish},

    {State::pooler_refused, Event::resigned, State::stopped, Action::finish},

    {State::asking, Event::granted, State::confirming, Action::examine},
    {State::asking, Event::denied, State::standby, Action::poll_later},
    {State::asking, Event::displaceable, State::taking_over, Action::terminate_holder},
    {State::asking, Event::doubt, State::waiting, Action::retry_later},
    {State::asking, Event::resigned, State::stopped, Action::finish},

    {State::standby, Event::poll_due, State::asking, Action::ask},
    {State::standby, Event::examination_due, State::examining, Action::examine},
    {State::standby, Event::release_heard, State::asking, Action::ask},
    {State::standby, Event::doubt, State::waiting, Action::retry_later},
    {State::standby, Event::resigned, State::stopped, Action::finish},

    {State::taking_over, Event::takeover_answered, State::standby, Action::poll_later},
    {State::taking_over, Event::doubt, State::waiting, Action::retry_later},
    {State::taking_over, Event::resigned, State::stopped, Action::finish},

    {State::confirming, Event::accepted, State::leading, Action::lead},
    {State::confirming, Event::disqualified, State::refused, Action::look_again_later},
    {State::confirming, Event::doubt, State::waiting, Action::retry_later},
    {State::confirming, Event::resigned, State::stopped, Action::finish},

    {State::leading, Event::disqualified, State::stepping_down, Action::unlock},
    {State::leading, Event::doubt, State::waiting, Action::announce_loss},
    {State::leading, Event::yielded, State::making_way, Action::unlock},
    {State::leading, Event::resigned, State::resigning, Action::unlock},

    {State::making_way, Event::released, State::aside, Action::watch_later},
    {State::making_way, Event::doubt, State::waiting, Action::retry_later},
    {State::making_way, Event::resigned, State::resigning, Action::none},

    {State::aside, Event::poll_due, State::aside, Action::watch},
    {State::aside, Event::window_over, State::asking, Action::ask},
    {State::aside, Event::doubt, State::waiting, Action::retry_later},
    {State::aside, Event::resigned, State::stopped, Action::finish},

    {State::stepping_down, Event::doubt, State::refused, Action::look_again_later},
    {State::stepping_down, Event::resigned, State::resigning, Action::none},
    {State::stepping_down, Event::released, State::refused, Action::look_again_later},

    {State::resigning, Event::doubt, State::stopped, Action::finish},
    {State::resigning, Event::released, State::stopped, Action::finish},
};

Step expected(State state, Event event) {
  for (const auto& each : kCases) {
    if (each.state == state && each.event == event) return {each.next, each.action};
  }
  return {state, Action::none};
}

std::filesystem::path architecture() { return test::in_checkout("docs/architecture.md"); }

constexpr std::string_view kBegin = "<!-- leadership-table -->\n";
constexpr std::string_view kEnd = "<!-- /leadership-table -->";

std::string read_page() {
  std::ifstream file(architecture());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_page(std::string page) {
  const auto begin = page.find(kBegin) + kBegin.size();
  page.replace(begin, page.find(kEnd) - begin, table());
  std::ofstream(architecture()) << page;
}

}  // namespace

TEST_CASE("every pair of state and event has its answer", "[leadership][state]") {
  for (const auto state : kStates) {
    for (const auto event : kEvents) {
      INFO(name(state) << " + " << name(event));
      const auto to = step(state, event);
      const auto wanted = expected(state, event);
      CHECK(name(to.next) == name(wanted.next));
      CHECK(name(to.action) == name(wanted.action));
    }
  }
}

TEST_CASE("every state can be reached from a start", "[leadership][state]") {
  std::vector<State> reached{State::stopped};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    for (const auto event : kEvents) {
      const auto next = step(reached[i], event).next;
      if (std::find(reached.begin(), reached.end(), next) == reached.end()) reached.push_back(next);
    }
  }

  CHECK(reached.size() == kStates.size());
}

TEST_CASE("every state has a sentence for people", "[leadership][state]") {
  for (const auto state : kStates) {
    INFO(name(state));
    CHECK(sentence(state).size() > 20);
    // As every other message of the log: it stands behind msg= and before the fields.
    CHECK(std::islower(static_cast<unsigned char>(sentence(state).front())) != 0);
    CHECK(sentence(state).back() != '.');
  }
}

TEST_CASE("docs/architecture.md shows the table as it is", "[leadership][state][docs]") {
  auto page = read_page();
  if (std::getenv("LOCKKEEPER_WRITE_DOCS") != nullptr) {
    write_page(page);
    page = read_page();
  }
  const auto begin = page.find(kBegin);
  const auto end = page.find(kEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);

  const auto shown = page.substr(begin + kBegin.size(), end - begin - kBegin.size());

  INFO("LOCKKEEPER_WRITE_DOCS=1 writes it anew");
  CHECK(shown == table());
}

}  // namespace lockkeeper::leadership
