// SPDX-License-Identifier: Apache-2.0
//
// Ten thousand answers of the library that Awa's workers use, see tests/unit/cron/recorded. There
// are two known differences, and they are counted: it never fires again after a gap of more than an
// hour, and it goes back in time when a fire lies in the last second before a clock is set back.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cron/timetable.hpp"
#include "support/checkout.hpp"

using namespace lockkeeper::cron;
using std::chrono::seconds;

namespace {

struct Answer {
  std::string expression;
  std::string zone;
  Instant start;
  std::vector<std::string> fires;
};

Answer read_answer(const std::string& line) {
  std::istringstream text(line);
  Answer answer;
  std::string word;
  std::getline(text, answer.expression, '\t');
  std::getline(text, answer.zone, '\t');
  std::getline(text, word, '\t');
  answer.start = Instant(seconds(std::stoll(word)));
  while (std::getline(text, word, '\t')) answer.fires.push_back(word);
  return answer;
}

struct Tally {
  int lines = 0;
  int fires = 0;
  int refused = 0;
  int longer_gaps = 0;
  int back_in_time = 0;
  std::vector<std::string> differences;
};

bool is_refused(const std::string& expression) {
  try {
    parse(expression);
  } catch (const ExpressionError&) {
    return true;
  }
  return false;
}

bool ends_long_gap(const Zone& zone, Instant at) {
  return zone.wall(at) - zone.wall(at - seconds(1)) > seconds(3601);
}

// True if this word of an answer is also ours, or a known difference.
bool agrees(Tally& tally, const std::string& word, const Timetable& timetable, Instant& at) {
  if (word == ">") return true;
  if (word == "<") return ++tally.back_in_time > 0;
  const auto fire = timetable.after(at);
  if (word == "-") {
    if (!fire) return true;
    ++tally.longer_gaps;
    return ends_long_gap(timetable.zone(), *fire);
  }
  ++tally.fires;
  if (fire != at + seconds(std::stoll(word))) return false;
  at = *fire;
  return true;
}

void compare(Tally& tally, const Answer& answer, const std::string& line) {
  ++tally.lines;
  if (answer.fires.front() == "!") {
    ++tally.refused;
    if (!is_refused(answer.expression)) tally.differences.push_back("accepted: " + line);
    return;
  }
  try {
    const Timetable timetable(answer.expression, answer.zone);
    auto at = answer.start;
    for (const auto& word : answer.fires) {
      if (agrees(tally, word, timetable, at)) continue;
      tally.differences.push_back(line);
      return;
    }
  } catch (const std::runtime_error& error) {
    tally.differences.push_back(error.what() + (": " + line));
  }
}

}  // namespace

TEST_CASE("fires are those of the library that the workers use", "[cron][timetable][H8]") {
  std::ifstream file(lockkeeper::test::in_checkout("tests/unit/cron/recorded/answers.tsv"));
  Tally tally;
  for (std::string line; std::getline(file, line);) compare(tally, read_answer(line), line);

  CHECK(tally.lines == 10'000);
  CHECK(tally.differences == std::vector<std::string>());
  CHECK(tally.fires > 20'000);
  CHECK(tally.refused > 500);
  CHECK(tally.longer_gaps > 0);
  CHECK(tally.back_in_time > 0);
}
