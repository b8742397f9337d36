// SPDX-License-Identifier: Apache-2.0
//
// Removing rows whose time is up: they are named without a lock, window by window, and removed in
// batches that are short whatever a row costs. Whatever others have locked is left for the next
// pass, and a row that cannot be removed is left alone, in nobody's way.
// Every look and every batch is a turn and a transaction of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "branches/branch.hpp"
#include "branches/cleanup/lap.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

// Producers and workers may wait for a batch.
inline constexpr time::Duration kSweepTarget = std::chrono::milliseconds(30);

using Place = std::vector<pg::Parameter>;

// One kind of rows. The first parameter of `find` is the size of a window, of `remove` the keys;
// then comes, for `find`, the place where the window begins; then, for both, the limits. `find`
// returns keys, whether there may be more, and the place where the window has ended.
struct Sweep {
  const char* find;
  const char* remove;
  Place start = {};  // of the first window
  // Rows that are told apart by nothing may begin before the place and end behind it; a last
  // parameter of the place says whether to look at it again.
  bool has_ties = false;
  std::vector<pg::Parameter> limits = {};
  std::int64_t window = 1000;
  // Told of every batch: how many rows of each queue with limits of its own, and of all others.
  void (*on_removed)(Report& report, const pg::Rows& by_queue) = nullptr;
};

// What is remembered of a sweep from pass to pass.
struct SweepMemory {
  scheduling::Pace pace;
  Place place = {};
  Lap lap = {};
};

// True when it has stopped for the sake of others and there is more to look at.
Task<bool> sweep(BranchContext& ctx, Sweep kind, SweepMemory& memory);

}  // namespace lockkeeper::branches
