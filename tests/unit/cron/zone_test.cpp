// SPDX-License-Identifier: Apache-2.0
#include "cron/zone.hpp"

#include <catch2/catch.hpp>

#include "unit/cron/times.hpp"

using namespace lockkeeper::cron;
using namespace lockkeeper::test;

namespace {

std::string fault_of(const std::string& name) {
  try {
    Zone::find(name);
  } catch (const ZoneError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a zone is known by its name and its other names", "[cron][zone]") {
  for (const auto* name : {"UTC", "Europe/Berlin", "US/Eastern", "Etc/GMT+12", "EST5EDT",
                           "America/Argentina/Buenos_Aires", "GB"}) {
    CAPTURE(name);
    CHECK(fault_of(name) == "");
  }
}

TEST_CASE("an unknown zone is one sentence with the nearest name", "[cron][zone]") {
  CHECK(fault_of("Europe/Berln") ==
        "the time zone \"Europe/Berln\" is not known; did you mean \"Europe/Berlin\"?");
  CHECK(fault_of("europe/berlin") ==
        "the time zone \"europe/berlin\" is not known; did you mean \"Europe/Berlin\"?");
  CHECK(fault_of("zzzzzzzzzzzzzzzzzzzz") ==
        "the time zone \"zzzzzzzzzzzzzzzzzzzz\" is not known; write a name such as UTC or "
        "Europe/Berlin");
  CHECK(fault_of(std::string(10'000, 'x')).size() < 250);
}

TEST_CASE("what lies beside the zones is none", "[cron][zone]") {
  for (const auto* name :
       {"", "localtime", "zone.tab", "zonenow.tab", "tzdata.zi", "leapseconds", "posixrules",
        "posix/UTC", "right/UTC", "Europe", "../zoneinfo/UTC", "/etc/passwd", "Europe/", " UTC"}) {
    CAPTURE(name);
    CHECK(fault_of(name) != "");
  }
}

TEST_CASE("a clock on the wall, and the first instant of its times", "[cron][zone]") {
  const auto berlin = Zone::find("Europe/Berlin");

  CHECK(text(berlin.wall(instant("2026-07-01 12:00:00"))) == "2026-07-01 14:00:00");
  CHECK(text(berlin.first(wall("2026-07-01 14:00:00"))) == "2026-07-01 12:00:00");
  CHECK(text(berlin.first(wall("2026-03-29 02:30:00"))) == "2026-03-29 01:00:00");
  CHECK(text(berlin.first(wall("2026-10-25 02:30:00"))) == "2026-10-25 00:30:00");
  CHECK(text(berlin.first(wall("2026-10-25 03:00:00"))) == "2026-10-25 02:00:00");
}

TEST_CASE("within a repeated hour the clock has reached the end of it", "[cron][zone]") {
  const auto berlin = Zone::find("Europe/Berlin");

  CHECK(text(berlin.reached(instant("2026-10-25 00:59:59"))) == "2026-10-25 02:59:59");
  CHECK(text(berlin.reached(instant("2026-10-25 01:10:00"))) == "2026-10-25 02:59:59");
  CHECK(text(berlin.reached(instant("2026-10-25 02:00:00"))) == "2026-10-25 03:00:00");
}

TEST_CASE("the first instant of a time is the one from which the clock has reached it",
          "[cron][zone]") {
  for (const auto* name : {"Europe/Berlin", "US/Eastern", "Australia/Lord_Howe", "Asia/Kathmandu",
                           "Antarctica/Troll", "Pacific/Apia", "UTC"}) {
    CAPTURE(name);
    const auto zone = Zone::find(name);
    auto last = zone.first(wall("2011-01-01 00:00:00"));
    for (auto time = wall("2011-01-01 00:00:00"); time < wall("2013-01-01 00:00:00");
         time += std::chrono::seconds(1801)) {
      const auto first = zone.first(time);
      REQUIRE(first >= last);
      REQUIRE(zone.reached(first) >= time);
      REQUIRE(zone.reached(first - std::chrono::seconds(1)) < time);
      last = first;
    }
  }
}

TEST_CASE("clocks go on changing after the last change that is listed", "[cron][zone]") {
  const auto berlin = Zone::find("Europe/Berlin");

  CHECK(text(berlin.wall(instant("2080-07-01 12:00:00"))) == "2080-07-01 14:00:00");
  CHECK(text(berlin.wall(instant("2080-12-01 12:00:00"))) == "2080-12-01 13:00:00");
  CHECK(text(berlin.first(wall("2080-03-31 02:30:00"))) == "2080-03-31 01:00:00");
  CHECK(text(berlin.first(wall("2080-10-27 02:30:00"))) == "2080-10-27 00:30:00");
}
