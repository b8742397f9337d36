// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue/history.hpp"

#include <catch2/catch.hpp>

#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {

using namespace std::chrono_literals;

namespace {

constexpr time::TimePoint kStart{1000s};

Cursor place(std::int64_t first) { return {"2026-01-01 00:00:00+00", first, 0}; }

Candidates attempts(std::size_t count) {
  const Numbers numbers(count, 7);
  return {numbers, numbers, numbers, numbers};
}

// A look at everything: so many windows of a tenth of a second.
History after(int windows, const Candidates& open = {}) {
  History history;
  history.begin(kStart);
  for (int window = 1; window <= windows; ++window) history.saw(place(window), open, 100ms);
  return history;
}

bool begins_anew(History history, time::TimePoint now) {
  history.begin(now);
  return history.end().first == Cursor().first && history.open().size() == 0;
}

}  // namespace

TEST_CASE("a few windows are looked at in each pass", "[branches][history]") {
  CHECK(begins_anew(after(1), kStart + 1ms));
  CHECK(begins_anew(after(2), kStart + 1ms));
}

TEST_CASE("after many windows a pass begins where the last one ended", "[branches][history]") {
  auto history = after(5, attempts(2));

  history.begin(kStart + 1s);

  CHECK(history.end().first == 5);
  CHECK(history.open().size() == 5 * 2);
}

TEST_CASE("now and then a pass looks at everything, a twentieth of the time",
          "[branches][history]") {
  CHECK_FALSE(begins_anew(after(5), kStart + 20 * 500ms - 1ms));
  CHECK(begins_anew(after(5), kStart + 20 * 500ms));
}

TEST_CASE("what later passes see does not put off the next look at everything",
          "[branches][history]") {
  auto history = after(5);
  for (int window = 6; window < 20; ++window) {
    history.begin(kStart + 9s);
    history.saw(place(window), {}, 1s);
  }

  CHECK(begins_anew(history, kStart + 20 * 500ms));
}

TEST_CASE("what is left of the open ones takes their place", "[branches][history]") {
  auto history = after(3, attempts(4));

  history.still_open(attempts(1));
  history.begin(kStart + 1s);

  CHECK(history.open().size() == 1);
  CHECK(history.end().first == 3);
}

TEST_CASE("where too much is open each pass goes on from there", "[branches][history]") {
  auto history = after(4, attempts(3000));

  CHECK(history.end().first == 3);
  CHECK(history.open().size() == 9000);
  history.saw(place(5), attempts(1), 100ms);  // a gap would be overlooked
  CHECK(history.end().first == 3);

  history.still_open(attempts(0));
  history.begin(kStart + 1s);
  history.saw(place(4), attempts(3000), 100ms);
  CHECK(history.end().first == 4);
}

TEST_CASE("what was seen in one schema says nothing about another", "[branches][history]") {
  RescueMemory memory(500);
  memory.look_into("awa");
  memory.histories["rescue/find_stale_claims"] = after(5);

  memory.look_into("awa");
  CHECK(memory.histories.size() == 1);
  memory.look_into("other");
  CHECK(memory.histories.empty());
}

}  // namespace lockkeeper::branches
