// SPDX-License-Identifier: Apache-2.0
#include "commands/cron_pages.hpp"

#include <catch2/catch.hpp>

#include "unit/cron/times.hpp"

using namespace lockkeeper;
using namespace lockkeeper::commands;
using Catch::Contains;
using test::instant;

TEST_CASE("a time is written with the zone's distance from UTC", "[commands][cron]") {
  const auto at = instant("2026-07-01 12:00:00");

  CHECK(written(cron::Zone::find("Europe/Berlin"), at) == "2026-07-01 14:00:00 +02:00");
  CHECK(written(cron::Zone::find("America/St_Johns"), at) == "2026-07-01 09:30:00 -02:30");
  CHECK(written(cron::Zone::find("UTC"), at) == "2026-07-01 12:00:00 +00:00");
}

TEST_CASE("fires are a table of both times", "[commands][cron]") {
  const cron::Timetable timetable("30 2 * * *", "Europe/Berlin");

  CHECK(fires_as_text(timetable, instant("2026-03-28 12:00:00"), 2, display::Paint::none) ==
        "in the zone                 in UTC\n"
        "2026-03-29 03:00:00 +02:00  2026-03-29T01:00:00Z\n"
        "2026-03-30 02:30:00 +02:00  2026-03-30T00:30:00Z\n");
}

TEST_CASE("a field that matches nothing says so", "[commands][cron]") {
  const auto text = meaning_as_text(cron::parse("L , * * 7L"), display::Paint::none);

  CHECK_THAT(text, Contains("minute        none\n") && Contains("hour          none\n") &&
                       Contains("day of week   none\n") && Contains("it never fires\n"));
}

TEST_CASE("a text of others cannot leave its cell", "[commands][cron]") {
  ReadSchedules read;
  branches::ScheduleRow row;
  row.name = "x\n\033[2J";
  row.expression = "\033[1m";
  row.metadata_type = "object";
  row.policy = "coalesce";
  read.schedules.put(row, instant("2026-07-01 12:00:00"));

  const auto text = schedules_as_text(read, display::Paint::none);

  CHECK_THAT(text, Contains("x\\n\\u001b[2J") && !Contains("\033"));
}
