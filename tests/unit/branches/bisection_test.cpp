// SPDX-License-Identifier: Apache-2.0
#include "branches/bisection.hpp"

#include <catch2/catch.hpp>
#include <set>

namespace lockkeeper::branches {
namespace {

struct Trial {
  std::set<std::size_t> moved;
  std::set<std::size_t> given_up;
  int batches = 0;
};

// Moves every range that holds no bad row.
Trial move_all(std::size_t rows, const std::set<std::size_t>& bad) {
  Trial trial;
  Bisection bisection(rows);
  while (const auto range = bisection.next()) {
    ++trial.batches;
    const auto first_bad = bad.lower_bound(range->begin);
    if (first_bad != bad.end() && *first_bad < range->end) {
      if (bisection.failed()) trial.given_up.insert(range->begin);
      continue;
    }
    for (auto row = range->begin; row < range->end; ++row) trial.moved.insert(row);
  }
  return trial;
}

}  // namespace

TEST_CASE("a sound batch is one range", "[branches][bisection]") {
  const auto trial = move_all(1000, {});

  CHECK(trial.batches == 1);
  CHECK(trial.moved.size() == 1000);
}

TEST_CASE("an empty batch is no range", "[branches][bisection]") {
  CHECK_FALSE(Bisection(0).next());
}

TEST_CASE("bad rows are given up alone and all others move", "[branches][bisection]") {
  const std::set<std::size_t> bad = {0, 499, 500, 999};

  const auto trial = move_all(1000, bad);

  CHECK(trial.given_up == bad);
  CHECK(trial.moved.size() == 996);
}

TEST_CASE("one bad row among n costs about two log n batches", "[branches][bisection]") {
  const auto trial = move_all(1024, {333});

  CHECK(trial.batches == 21);
}

}  // namespace lockkeeper::branches
