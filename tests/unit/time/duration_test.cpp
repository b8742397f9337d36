// SPDX-License-Identifier: Apache-2.0
#include "time/duration.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using lockkeeper::time::Duration;
using lockkeeper::time::format_duration;
using lockkeeper::time::parse_duration;

TEST_CASE("a duration is a number and a unit", "[time][duration]") {
  CHECK(parse_duration("250ms") == Duration(250ms));
  CHECK(parse_duration("2m") == Duration(2min));
  CHECK(parse_duration("24h") == Duration(24h));
  CHECK(parse_duration("30d") == Duration(24h * 30));
  CHECK(parse_duration("7us") == Duration(7us));
  CHECK(parse_duration("0s") == Duration(0s));
}

TEST_CASE("fractions are exact", "[time][duration]") {
  CHECK(parse_duration("1.5s") == Duration(1500ms));
  CHECK(parse_duration("0.000000001s") == Duration(1ns));
  CHECK(parse_duration("0.1d") == Duration(8640s));
  CHECK_FALSE(parse_duration("0.5ns"));
  CHECK_FALSE(parse_duration("0.0000000001s"));
  CHECK_FALSE(parse_duration("1.00000000001s"));
  CHECK(parse_duration("1.00000000000s") == Duration(1s));
}

TEST_CASE("what has no unit, a sign or a blank is no duration", "[time][duration]") {
  for (const auto* text : {"", "5", "s", "-1s", "+1s", "1 s", " 1s", "1s ", "1.s", ".5s", "1e3s",
                           "1sec", "1S", "1m30s", "1,5s", "0x1s", "inf", "nan", "1.5.5s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a duration beyond 292 years does not wrap around", "[time][duration]") {
  CHECK(parse_duration("106751d"));
  CHECK_FALSE(parse_duration("106752d"));
  CHECK_FALSE(parse_duration("9223372036854775808ns"));
  CHECK_FALSE(parse_duration("99999999999999999999999999h"));
}

TEST_CASE("a written duration is short and reads back the same", "[time][duration]") {
  CHECK(format_duration(1500ms) == "1.5s");
  CHECK(format_duration(250ms) == "250ms");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(24h * 30) == "30d");
  for (const auto duration : {Duration(1ns), Duration(0ns), Duration(123456789ns), Duration(61s),
                              Duration(86400001ms), Duration(100h)}) {
    CHECK(parse_duration(format_duration(duration)) == duration);
  }
}
