// SPDX-License-Identifier: Apache-2.0
#include "cron/timetable.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "unit/cron/times.hpp"

using namespace lockkeeper::cron;
using namespace lockkeeper::test;
using namespace std::chrono_literals;

namespace {

using Times = std::vector<std::string>;

// The fires after an instant, in UTC.
Times fires(const char* expression, const char* zone, const char* after, int most) {
  const Timetable timetable(expression, zone);
  Times found;
  auto fire = timetable.after(instant(after));
  for (; fire && most > 0; --most) {
    found.push_back(text(*fire));
    fire = timetable.after(*fire);
  }
  return found;
}

std::string due(const char* expression, const Progress& progress, const char* now) {
  const auto fire = Timetable(expression, "UTC").due(progress, instant(now));
  return fire ? text(*fire) : "none";
}

Progress created(const char* at, bool catches_up = false) {
  return {std::nullopt, instant(at), catches_up};
}

Progress fired(const char* last, bool catches_up = false) {
  return {instant(last), instant("2000-01-01 00:00:00"), catches_up};
}

}  // namespace

TEST_CASE("a time that the clock leaves out fires at the end of the gap", "[cron][timetable][H8]") {
  CHECK(fires("30 2 * * *", "US/Eastern", "2025-03-09 00:00:00", 2) ==
        Times{"2025-03-09 07:00:00", "2025-03-10 06:30:00"});
  CHECK(fires("15 2 * * *", "Australia/Lord_Howe", "2025-10-04 00:00:00", 1) ==
        Times{"2025-10-04 15:30:00"});  // 02:30 on the wall
  CHECK(fires("0 0 * * *", "America/Sao_Paulo", "2018-11-03 12:00:00", 1) ==
        Times{"2018-11-04 03:00:00"});
}

TEST_CASE("times that fall together in a gap fire once", "[cron][timetable][H8]") {
  CHECK(fires("0 * * * *", "US/Eastern", "2025-03-09 05:30:00", 3) ==
        Times{"2025-03-09 06:00:00", "2025-03-09 07:00:00", "2025-03-09 08:00:00"});
  CHECK(fires("15,45 2 * * *", "US/Eastern", "2025-03-09 00:00:00", 2) ==
        Times{"2025-03-09 07:00:00", "2025-03-10 06:15:00"});
}

TEST_CASE("a time that comes twice fires the first time", "[cron][timetable][H8]") {
  CHECK(fires("30 1 * * *", "US/Eastern", "2025-11-02 00:00:00", 2) ==
        Times{"2025-11-02 05:30:00", "2025-11-03 06:30:00"});
  CHECK(fires("*/30 * * * *", "US/Eastern", "2025-11-02 04:30:00", 3) ==
        Times{"2025-11-02 05:00:00", "2025-11-02 05:30:00", "2025-11-02 07:00:00"});
}

TEST_CASE("the second before the clock is set back does not begin the hour anew",
          "[cron][timetable]") {
  CHECK(fires("* * * * * *", "US/Eastern", "2025-11-02 05:59:57", 3) ==
        Times{"2025-11-02 05:59:58", "2025-11-02 05:59:59", "2025-11-02 07:00:00"});
}

TEST_CASE("within the repeated hour the newest fire is the one before it",
          "[cron][timetable][H8]") {
  const Timetable timetable("*/30 * * * *", "US/Eastern");
  const auto now = instant("2025-11-02 06:20:00");

  CHECK(timetable.due(created("2025-11-02 06:20:00"), now) == instant("2025-11-02 05:30:00"));
  CHECK(timetable.due(fired("2025-11-02 05:30:00"), now) == std::nullopt);
  CHECK(timetable.upcoming(fired("2025-11-02 05:30:00"), now) == instant("2025-11-02 07:00:00"));
}

TEST_CASE("a gap longer than an hour is passed like any other", "[cron][timetable][H8]") {
  // Troll sets its clock forward by two hours, Samoa once left out a day.
  CHECK(fires("30 1 * * *", "Antarctica/Troll", "2025-03-29 12:00:00", 2) ==
        Times{"2025-03-30 01:00:00", "2025-03-30 23:30:00"});
  CHECK(fires("30 2 * * *", "Antarctica/Troll", "2025-03-29 12:00:00", 1) ==
        Times{"2025-03-30 01:00:00"});
  CHECK(fires("0 12 * * *", "Pacific/Apia", "2011-12-29 12:00:00", 3) ==
        Times{"2011-12-29 22:00:00", "2011-12-30 10:00:00", "2011-12-30 22:00:00"});
}

TEST_CASE("a schedule that has never fired begins a minute before it was created",
          "[cron][timetable][H8]") {
  const bool catches_up = GENERATE(false, true);

  CHECK(due("0 9 * * *", created("2026-05-07 09:00:30", catches_up), "2026-05-07 09:00:31") ==
        "2026-05-07 09:00:00");
  CHECK(due("0 9 * * *", created("2026-05-07 09:01:01", catches_up), "2026-05-07 09:01:02") ==
        "none");
  CHECK(due("*/5 * * * * *", created("2026-05-07 12:00:30", catches_up), "2026-05-07 12:00:55") ==
        "2026-05-07 12:00:55");
}

TEST_CASE("what was missed coalesces into its newest, or is caught up from its oldest",
          "[cron][timetable][H8]") {
  CHECK(due("*/5 * * * * *", fired("2026-05-07 12:00:00"), "2026-05-07 12:00:20") ==
        "2026-05-07 12:00:20");
  CHECK(due("*/5 * * * * *", fired("2026-05-07 12:00:00", true), "2026-05-07 12:00:20") ==
        "2026-05-07 12:00:05");
  CHECK(due("*/5 * * * * *", fired("2026-05-07 12:00:15", true), "2026-05-07 12:00:20") ==
        "2026-05-07 12:00:20");
  CHECK(due("*/5 * * * * *", fired("2026-05-07 12:00:20", true), "2026-05-07 12:00:24") == "none");
  CHECK(due("*/1 * * * * *", fired("2026-05-06 12:00:20"), "2026-05-07 12:00:20") ==
        "2026-05-07 12:00:20");
  CHECK(due("0 * * * *", fired("2026-05-07 14:00:00"), "2026-05-07 14:35:00") == "none");
}

TEST_CASE("the fire to wait for is the first after now that will count", "[cron][timetable]") {
  const Timetable timetable("0 * * * *", "UTC");

  CHECK(timetable.upcoming(fired("2026-05-07 14:00:00"), instant("2026-05-07 14:35:00")) ==
        instant("2026-05-07 15:00:00"));
  CHECK(timetable.upcoming(fired("2026-05-07 20:00:00"), instant("2026-05-07 14:35:00")) ==
        instant("2026-05-07 21:00:00"));
  CHECK(timetable.upcoming(created("2026-05-07 17:30:00"), instant("2026-05-07 14:35:00")) ==
        instant("2026-05-07 18:00:00"));
  CHECK(timetable.upcoming(created("2026-05-07 14:30:00"), instant("2026-05-07 15:00:00")) ==
        instant("2026-05-07 16:00:00"));
}

TEST_CASE("fractions of a second are those of the database and not of a fire",
          "[cron][timetable]") {
  const Timetable timetable("* * * * * *", "UTC");
  const auto last = instant("2026-05-07 12:00:00") + 300ms;

  CHECK(timetable.after(last) == instant("2026-05-07 12:00:01"));
  CHECK(timetable.due({last, last}, instant("2026-05-07 12:00:00") + 900ms) == std::nullopt);
  CHECK(timetable.due({std::nullopt, instant("2026-05-07 12:01:00") + 500ms},
                      instant("2026-05-07 12:00:00") + 700ms) == instant("2026-05-07 12:00:00"));
}

TEST_CASE("an expression that never fires has nothing due and nothing to wait for",
          "[cron][timetable]") {
  const Timetable timetable("0 0 30 2 *", "Europe/Berlin");
  const auto now = instant("2026-05-07 12:00:00");

  CHECK_FALSE(timetable.due(fired("2026-05-07 11:00:00", GENERATE(false, true)), now));
  CHECK_FALSE(timetable.upcoming(created("2026-05-07 11:00:00"), now));
  CHECK_FALSE(timetable.after(now));
}

TEST_CASE("the newest of a year of missed seconds is found without counting them",
          "[cron][timetable]") {
  CHECK(due("* * * * * *", fired("1999-05-07 12:00:00"), "2026-05-07 12:00:00") ==
        "2026-05-07 12:00:00");
}

TEST_CASE("a fire in the last second before a gap passes over the times in it",
          "[cron][timetable]") {
  // Cairo left out the hour after midnight.
  const Timetable timetable("59 59 * * * *", "Africa/Cairo");
  const auto before = instant("1997-04-24 21:59:59");
  const auto behind = instant("1997-04-24 22:59:59");

  CHECK(timetable.after(before) == behind);
  CHECK(timetable.due({instant("1997-04-24 21:00:00"), before}, behind - 1s) == before);
  CHECK(timetable.upcoming({std::nullopt, before}, before + 10s) == behind);
}
