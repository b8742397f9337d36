// SPDX-License-Identifier: Apache-2.0
#include "branches/bisection.hpp"

#include <catch2/catch.hpp>
#include <set>

namespace lockkeeper::branches {
namespace {

const pg::SqlState kBad("23514");
const pg::SqlState kLocked("55P03");

struct Trial {
  std::set<std::size_t> moved;
  std::set<std::size_t> given_up;
  int batches = 0;
};

// Moves every range without one of the rows that stop it.
Trial move_all(std::size_t rows, const std::set<std::size_t>& stopping, const pg::SqlState& why) {
  Trial trial;
  Bisection bisection(rows);
  while (const auto range = bisection.next()) {
    ++trial.batches;
    const auto first = stopping.lower_bound(range->begin);
    if (first != stopping.end() && *first < range->end) {
      bisection.failed(why);
      continue;
    }
    bisection.passed(static_cast<std::int64_t>(range->size()));
    for (auto row = range->begin; row < range->end; ++row) trial.moved.insert(row);
  }
  for (const auto& [row, reason] : bisection.given_up()) trial.given_up.insert(row);
  return trial;
}

std::set<std::size_t> all(std::size_t rows) {
  std::set<std::size_t> all;
  for (std::size_t row = 0; row < rows; ++row) all.insert(row);
  return all;
}

}  // namespace

TEST_CASE("a sound batch is one range", "[branches][bisection]") {
  const auto trial = move_all(1000, {}, kBad);

  CHECK(trial.batches == 1);
  CHECK(trial.moved.size() == 1000);
}

TEST_CASE("an empty batch is no range", "[branches][bisection]") {
  CHECK_FALSE(Bisection(0).next());
}

TEST_CASE("bad rows are given up alone and all others move", "[branches][bisection]") {
  const std::set<std::size_t> bad = {0, 499, 500, 999};

  const auto trial = move_all(1000, bad, kBad);

  CHECK(trial.given_up == bad);
  CHECK(trial.moved.size() == 996);
}

TEST_CASE("a batch of nothing but bad rows is given up row by row", "[branches][bisection]") {
  CHECK(move_all(100, all(100), kBad).given_up.size() == 100);
}

TEST_CASE("one bad row among n costs about two log n batches", "[branches][bisection]") {
  const auto trial = move_all(1024, {333}, kBad);

  CHECK(trial.batches == 21);
}

TEST_CASE("a row that waits is given up with few others", "[branches][bisection]") {
  const auto trial = move_all(1024, {333}, kLocked);

  CHECK(trial.given_up.count(333) == 1);
  CHECK(trial.given_up.size() <= 4);
  CHECK(trial.moved.size() + trial.given_up.size() == 1024);
}

TEST_CASE("where everything waits, waiting ends soon", "[branches][bisection]") {
  const auto trial = move_all(1000, all(1000), kLocked);

  CHECK(trial.batches < 12);
  CHECK(trial.moved.empty());
}

TEST_CASE("rows behind those that wait are still tried", "[branches][bisection]") {
  const auto trial = move_all(1000, all(400), kLocked);

  CHECK(trial.batches < 24);
  CHECK(trial.moved.size() >= 500);
}

}  // namespace lockkeeper::branches
