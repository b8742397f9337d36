// SPDX-License-Identifier: Apache-2.0
#include "cron/calendar.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "unit/cron/times.hpp"

using namespace lockkeeper::cron;
using namespace lockkeeper::test;

namespace {

// The first matches from a time on, up to so many.
std::vector<std::string> matches(const char* expression, const char* from, int most) {
  const Calendar calendar(parse(expression));
  std::vector<std::string> found;
  auto time = calendar.next(wall(from));
  for (; time && most > 0; --most) {
    found.push_back(text(*time));
    time = calendar.next(*time + std::chrono::seconds(1));
  }
  return found;
}

using Times = std::vector<std::string>;

}  // namespace

TEST_CASE("the next match is found field by field", "[cron][calendar]") {
  CHECK(matches("30 9 * * *", "2026-01-01 09:30:00", 2) ==
        Times{"2026-01-01 09:30:00", "2026-01-02 09:30:00"});
  CHECK(matches("15,45 8-9 * * *", "2026-01-01 08:45:01", 2) ==
        Times{"2026-01-01 09:15:00", "2026-01-01 09:45:00"});
  CHECK(matches("*/20 59 23 31 12 *", "2026-12-31 23:59:41", 1) == Times{"2027-12-31 23:59:00"});
  CHECK(matches("0 0 29 2 *", "2096-03-01 00:00:00", 1) == Times{"2104-02-29 00:00:00"});
}

TEST_CASE("a day of month and a day of week: one of them is enough, unless one is a star",
          "[cron][calendar]") {
  CHECK(matches("0 0 13 * 5", "2026-01-01 00:00:00", 4) ==
        Times{"2026-01-02 00:00:00", "2026-01-09 00:00:00", "2026-01-13 00:00:00",
              "2026-01-16 00:00:00"});
  CHECK(matches("0 0 13 * *", "2026-01-01 00:00:00", 1) == Times{"2026-01-13 00:00:00"});
  CHECK(matches("0 0 1-31 * 5", "2026-01-03 00:00:00", 1) == Times{"2026-01-03 00:00:00"});
}

TEST_CASE("the last day of a month", "[cron][calendar]") {
  CHECK(matches("0 0 L * *", "2024-02-01 00:00:00", 2) ==
        Times{"2024-02-29 00:00:00", "2024-03-31 00:00:00"});
  CHECK(matches("0 0 1,L 2 *", "2026-02-01 00:00:00", 2) ==
        Times{"2026-02-01 00:00:00", "2026-02-28 00:00:00"});
}

TEST_CASE("the closest weekday may lie in another month", "[cron][calendar]") {
  // 15 August 2026 is a Saturday, 15 November 2026 a Sunday.
  CHECK(matches("0 0 15W * *", "2026-08-01 00:00:00", 1) == Times{"2026-08-14 00:00:00"});
  CHECK(matches("0 0 15W * *", "2026-11-01 00:00:00", 1) == Times{"2026-11-16 00:00:00"});
  // 1 August 2026 is a Saturday: the Friday before it is in July.
  CHECK(matches("0 0 1W * *", "2026-07-02 00:00:00", 1) == Times{"2026-07-31 00:00:00"});
  CHECK(matches("0 0 1W 8 *", "2026-07-02 00:00:00", 1) == Times{"2027-08-02 00:00:00"});
  // 31 May 2026 is a Sunday: the Monday behind it is in June.
  CHECK(matches("0 0 31W * *", "2026-05-02 00:00:00", 1) == Times{"2026-06-01 00:00:00"});
}

TEST_CASE("the nth and the last weekday of a month", "[cron][calendar]") {
  CHECK(matches("0 0 * * FRI#2", "2026-01-01 00:00:00", 2) ==
        Times{"2026-01-09 00:00:00", "2026-02-13 00:00:00"});
  CHECK(matches("0 0 * * 5L", "2026-01-01 00:00:00", 2) ==
        Times{"2026-01-30 00:00:00", "2026-02-27 00:00:00"});
  CHECK(matches("0 0 * * SUN#5", "2026-01-01 00:00:00", 1) == Times{"2026-03-29 00:00:00"});
  CHECK(matches("0 0 * * 0L", "2026-01-01 00:00:00", 1) == Times{"2026-01-25 00:00:00"});
}

TEST_CASE("what never comes is known at once", "[cron][calendar][H8]") {
  for (const auto* expression : {"0 0 30 2 *", "0 0 31 2 *", "L * * * *", "0 0 * * L", "0 0 * * 7L",
                                 ", * * * *", "0 0 * 1-5#L *"}) {
    CAPTURE(expression);
    const Calendar calendar(parse(expression));
    CHECK(calendar.is_empty());
    CHECK_FALSE(calendar.next(wall("2026-01-01 00:00:00")));
    CHECK_FALSE(calendar.previous(wall("2026-01-01 00:00:00")));
  }
}

TEST_CASE("the rarest date is found within forty years, both ways", "[cron][calendar]") {
  // 29 February on the fifth Monday, over the year without one that is no leap year.
  const Calendar calendar(parse("0 0 * 2 MON#5"));

  CHECK(text(*calendar.next(wall("2072-03-01 00:00:00"))) == "2112-02-29 00:00:00");
  CHECK(text(*calendar.previous(wall("2112-02-28 23:59:59"))) == "2072-02-29 00:00:00");
}

TEST_CASE("the match before is the last one that the matches after would come to",
          "[cron][calendar]") {
  for (const auto* expression :
       {"* * * * * *", "*/7 */13 * * * *", "30 4 1,15 * 5", "0 0 L * *", "0 0 15W * *",
        "0 12 * * FRI#2", "59 59 23 31 12 *", "0 0 29 2 *", "5 22 * * 1-5"}) {
    CAPTURE(expression);
    const Calendar calendar(parse(expression));
    auto time = *calendar.next(wall("2023-12-30 23:59:30"));
    for (int n = 0; n < 200; ++n) {
      const auto later = *calendar.next(time + std::chrono::seconds(1));
      REQUIRE(later > time);
      REQUIRE(calendar.previous(later) == later);
      REQUIRE(calendar.previous(later - std::chrono::seconds(1)) == time);
      time = later;
    }
  }
}
