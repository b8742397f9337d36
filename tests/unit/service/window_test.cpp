// SPDX-License-Identifier: Apache-2.0
#include "service/window.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;
using display::BranchStatus;
using scheduling::Lane;

BranchStatus branch(std::string name, Lane lane) {
  BranchStatus branch;
  branch.name = std::move(name);
  branch.lane = lane;
  branch.late_after = 1s;
  branch.last = display::PassFacts{};
  return branch;
}

}  // namespace

TEST_CASE("a window may open while nothing is under way", "[service][window]") {
  CHECK_FALSE(forbids_window(branch("promote_scheduled", Lane::slo)));
  CHECK_FALSE(forbids_window(branch("batch_operations", Lane::hygiene)));
}

TEST_CASE("a pass of the slo lane forbids it, on its way or waiting", "[service][window]") {
  auto slo = branch("promote_scheduled", Lane::slo);
  auto hygiene = branch("cleanup", Lane::hygiene);
  const bool is_waiting = GENERATE(true, false);
  for (auto* one : {&slo, &hygiene}) {
    one->is_running = !is_waiting;
    if (is_waiting) one->waiting = 10ms;
  }

  CHECK(forbids_window(slo));
  CHECK_FALSE(forbids_window(hygiene));
}

TEST_CASE("whatever is late forbids it", "[service][window]") {
  auto late = branch("cleanup", Lane::hygiene);
  late.waiting = 1s + 1ms;

  CHECK(forbids_window(late));
}

TEST_CASE("a batch operation that is not at its end forbids it between two of its passes",
          "[service][window]") {
  auto operations = branch("batch_operations", Lane::hygiene);
  auto cleanup = branch("cleanup", Lane::hygiene);
  operations.last->rows = cleanup.last->rows = 1000;

  CHECK(forbids_window(operations));
  CHECK_FALSE(forbids_window(cleanup));

  operations.is_enabled = false;
  CHECK_FALSE(forbids_window(operations));
}

}  // namespace lockkeeper::service
