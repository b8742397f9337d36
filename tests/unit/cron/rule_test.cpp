// SPDX-License-Identifier: Apache-2.0
#include "cron/rule.hpp"

#include <date/tz.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "unit/cron/times.hpp"

using namespace lockkeeper::cron;
using namespace lockkeeper::test;
using namespace std::chrono_literals;

namespace {

Period at(const char* rule, const char* instant) { return Rule::parse(rule)->at(utc(instant)); }

std::string text(std::chrono::sys_seconds at) { return lockkeeper::test::text(Instant(at)); }

std::string rule_of(const std::string& zone) {
  std::ifstream file("/usr/share/zoneinfo/" + zone, std::ios::binary);
  std::string line, last;
  while (std::getline(file, line)) last = line;
  return last;
}

}  // namespace

TEST_CASE("a rule tells when clocks change, north and south", "[cron][rule]") {
  const auto berlin = at("CET-1CEST,M3.5.0,M10.5.0/3", "2050-07-01 00:00:00");
  const auto sydney = at("AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-01-15 00:00:00");

  CHECK(text(berlin.begin) == "2050-03-27 01:00:00");
  CHECK(text(berlin.end) == "2050-10-30 01:00:00");
  CHECK(berlin.ahead == 2h);
  CHECK(text(sydney.begin) == "2049-10-02 16:00:00");
  CHECK(text(sydney.end) == "2050-04-02 16:00:00");
  CHECK(sydney.ahead == 11h);
}

TEST_CASE("a rule has times of its own, below zero too, and days of the year", "[cron][rule]") {
  const auto nuuk = at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-07-01 00:00:00");
  const auto dublin = at("IST-1GMT0,M10.5.0,M3.5.0/1", "2050-01-15 00:00:00");
  const auto counted = at("AAA3BBB,J60/0,59/0", "2048-02-29 12:00:00");

  CHECK(text(nuuk.begin) == "2050-03-27 01:00:00");
  CHECK(nuuk.ahead == -1h);
  CHECK(dublin.ahead == 0h);
  CHECK(text(dublin.end) == "2050-03-27 01:00:00");
  CHECK(text(counted.end) == "2048-03-01 03:00:00");  // J60 is 1 March in every year
}

TEST_CASE("a rule without changes, or none at all, is no rule", "[cron][rule]") {
  for (const auto* text : {"UTC0", "<+0530>-5:30", "", "CET-1CEST", "CET-1CEST,M3.5.0",
                           "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0x", "<+03", "5"}) {
    CAPTURE(text);
    CHECK_FALSE(Rule::parse(text));
  }
}

TEST_CASE("the rules agree with the changes that the files list", "[cron][rule]") {
  int compared = 0;
  for (const auto& zone : date::get_tzdb().zones) {
    const auto rule = Rule::parse(rule_of(zone.name()));
    // Where clocks follow the moon, no rule tells what the file lists.
    const bool is_listed =
        zone.get_info(utc("2040-01-01 00:00:00")).end < utc("9999-01-01 00:00:00");
    if (!rule || is_listed) continue;
    CAPTURE(zone.name());
    for (auto at = utc("2032-01-03 00:00:00"); at < utc("2036-12-01 00:00:00"); at += 240h) {
      const auto info = zone.get_info(at);
      if (info.end > utc("2037-01-01 00:00:00")) continue;
      const auto period = rule->at(at);
      REQUIRE(period.begin == info.begin);
      REQUIRE(period.end == info.end);
      REQUIRE(period.ahead == info.offset);
      ++compared;
    }
  }
  CHECK(compared > 1000);
}
