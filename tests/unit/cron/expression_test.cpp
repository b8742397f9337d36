// SPDX-License-Identifier: Apache-2.0
#include "cron/expression.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace lockkeeper::cron;
using Catch::Contains;

namespace {

std::string fault_of(std::string_view text) {
  try {
    parse(text);
  } catch (const ExpressionError& error) {
    return error.what();
  }
  return "";
}

Numbers set(std::initializer_list<unsigned> numbers) {
  Numbers all = 0;
  for (const auto number : numbers) all |= Numbers{1} << number;
  return all;
}

}  // namespace

TEST_CASE("what the workers accept is accepted", "[cron][expression][H8]") {
  for (const auto* text :
       {"* * * * * *",    "@DAILY",          "0 0 L * *",       "0 0 1,L * *",
        "0 0 15W * *",    "0 0 * * 5L",      "0 0 * * FRIL",    "0 0 * * FRI#L",
        "0 0 * * FRI#2",  "0 0 * * SAT-SUN", "0 0 * * SUN-MON", "*/70 * * * *",
        "*/255 * * * *",  "5/10 * * * *",    "1,,2 * * * *",    ", * * * *",
        "+5 * * * *",     "007 * * * *",     "? ? ? ? ?",       "0 0 31 2 *",
        "L * * * *",      "0 0 * * L",       "0 0 * * 7L",      "JAN * * * *",
        "0 0 15Wxyz * *", "0 0 * * 1-5#2",   "0 0 * * 1-5#L",   "1-5#L * * * *",
        "0 0 * * 5LL",    "0 0 * * 5#xL",    "  @Hourly\t",     "0\u00a00\u30000 * * *",
        "0 0 15w@ * *"}) {
    CAPTURE(text);
    CHECK(fault_of(text) == "");
  }
}

TEST_CASE("what the workers refuse is refused", "[cron][expression][H8]") {
  for (const auto* text : {"",
                           " \t",
                           "* * * * * * *",
                           "@midnight",
                           "@reboot",
                           "0 0 LW * *",
                           "0 0 L-3 * *",
                           "0 0 1-5W * *",
                           "0 0 W15 * *",
                           "0 0 15L * *",
                           "0 0 * * 1-5L",
                           "0 0 * * FRI#6",
                           "0 0 * * 5#0",
                           "0 0 * * 5#",
                           "0 0 * * 5#2#3",
                           "0 0 * * FRI-MON",
                           "0 0 * * 8",
                           "0 24 * * *",
                           "60 * * * *",
                           "0 0 0 * *",
                           "0 0 * 13 *",
                           "*/0 * * * *",
                           "*/256 * * * *",
                           "5/251 * * * *",
                           "/5 * * * *",
                           "10-1 * * * *",
                           "*,5 * * * *",
                           "0 0 * * monday",
                           "not a cron",
                           "* * * *",
                           "5#2 * * * *",
                           "1-5#2 * * * *",
                           "5-/2 * * * *",
                           "5#-2 * * * *",
                           "5#/2 * * * *",
                           "1-2-3 * * * *",
                           "+ * * * *",
                           "++5 * * * *",
                           "0 0 * * 5L3",
                           "0 0 * * 5L#2",
                           "0 0 * * w",
                           "5w * * * *",
                           "1/2/3 * * * *",
                           "1-70/2 * * * *",
                           "70/2 * * * *",
                           "256 * * * *",
                           "0x5 * * * *"}) {
    CAPTURE(text);
    CHECK(fault_of(text) != "");
  }
}

TEST_CASE("a fault names its field, its part and its place, and what to write",
          "[cron][expression]") {
  const std::pair<const char*, const char*> cases[] = {
      {"60 * * * *", "minute \"60\" at character 1: write a number from 0 to 59"},
      {"0 0 * 1,13 *", "month \"13\" at character 9: write a number from 1 to 12, or jan to dec"},
      {"0 0 * * monday",
       "day of week \"monday\" at character 9: write a number from 0 to 7, or sun to sat"},
      {"0 22-2 * * *", "hour \"22-2\" at character 3: a range goes up; write 22-23,0-2"},
      {"*/0 * * * *",
       "minute \"*/0\" at character 1: write */n, a/n or a-b/n, with a step n from 1 to 255"},
      {"5/251 * * * *",
       "minute \"5/251\" at character 1: the step is too long; write 5 for that one value"},
      {"0 0 LW * *",
       "day of month \"LW\" at character 5: W is for the day of month, behind one day, such as "
       "15W"},
      {"0 0 * * 5#6",
       "day of week \"5#6\" at character 9: # is for the day of week, with a number from 1 to 5 "
       "behind it, such as 5#2"},
      {"",
       "it has no fields; write five (minute, hour, day of month, month, day of week) or six "
       "with the second in front"},
      {"x",
       "it has 1 field; write five (minute, hour, day of month, month, day of week) or six "
       "with the second in front"},
      {"@midnight",
       "\"@midnight\" is not known; write @yearly, @annually, @monthly, @weekly, "
       "@daily, @hourly, or fields"},
  };
  for (const auto& [text, sentence] : cases) {
    CAPTURE(text);
    CHECK(fault_of(text) == sentence);
  }
}

TEST_CASE("a fault shows the beginning of a long text only, and nothing that steers a terminal",
          "[cron][expression]") {
  const auto fault = fault_of(std::string(10'000, 'x') + " 0 * * *");
  const auto steering = fault_of("\033[2J 0 * * *");

  CHECK(fault.size() < 200);
  CHECK_THAT(steering, Contains("\\u001b[2J"));
}

TEST_CASE("five fields mean second 0", "[cron][expression]") {
  const auto five = parse("1 2 3 4 5");
  const auto six = parse("0 1 2 3 4 5");

  CHECK(five.seconds == set({0}));
  CHECK(five.minutes == set({1}));
  CHECK(five.hours == set({2}));
  CHECK(five.days == set({3}));
  CHECK(five.months == set({4}));
  CHECK(five.weekdays == set({5}));
  CHECK(six.seconds == five.seconds);
  CHECK(six.weekdays == five.weekdays);
}

TEST_CASE("steps run from a value to the end of its field, or within a range",
          "[cron][expression][H8]") {
  CHECK(parse("5/10 * * * *").minutes == set({5, 15, 25, 35, 45, 55}));
  CHECK(parse("10-20/4 * * * *").minutes == set({10, 14, 18}));
  CHECK(parse("*/70 * * * *").minutes == set({0}));
}

TEST_CASE("names stand for numbers wherever they stand", "[cron][expression][H8]") {
  CHECK(parse("JAN * * * *").minutes == set({1}));
  CHECK(parse("0 0 * mar,Oct *").months == set({3, 10}));
  CHECK(parse("0 0 * * Sat-SUN").weekdays == set({0, 6}));
  CHECK(parse("0 0 * * sun-mon").weekdays == set({0, 1}));
}

TEST_CASE("Sunday is 0 and 7, but not for L, and steps see both", "[cron][expression]") {
  CHECK(parse("0 0 * * 7").weekdays == set({0}));
  CHECK(parse("0 0 * * 7#2").nth_weekdays[2] == set({0}));
  CHECK(parse("0 0 * * 7L").last_weekdays == set({7}));
  CHECK(parse("0 0 * * 1/2").weekdays == set({0, 1, 3, 5}));
  CHECK(parse("0 0 * * */2").weekdays == set({0, 2, 4, 6}));
  CHECK(parse("0 0 * * */7").weekdays == set({0}));
}

TEST_CASE("only a star is a star", "[cron][expression]") {
  CHECK(parse("0 0 * * ?").is_any_weekday);
  CHECK(parse("0 0 ? * *").is_any_day);
  CHECK_FALSE(parse("0 0 1-31 * 0-6").is_any_day);
  CHECK_FALSE(parse("0 0 */1 * */1").is_any_weekday);
}

TEST_CASE("a name of a whole expression stands for its fields", "[cron][expression]") {
  CHECK(parse("@weekly").weekdays == set({0}));
  CHECK(parse("@annually").months == set({1}));
  CHECK(parse("@hourly").minutes == set({0}));
  CHECK(parse("@monthly").days == set({1}));
}
