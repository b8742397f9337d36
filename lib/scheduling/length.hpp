// SPDX-License-Identifier: Apache-2.0
//
// How long the turns of a duty take, learned from those it had. Rises at once and falls
// slowly: starting a turn that is too long costs an slo duty its time, starting one too late
// costs only a gap. Kept per step, because a pass may have turns of very different length. Pure.
#pragma once

#include <algorithm>
#include <vector>

#include "time/clock.hpp"

namespace lockkeeper::scheduling {

class Lengths {
 public:
  // Zero for a step that has not been seen.
  time::Duration predicted(int step) const {
    const auto index = static_cast<std::size_t>(step);
    return index < by_step_.size() ? by_step_[index] : time::Duration(0);
  }

  void completed(int step, time::Duration took) {
    auto& length = place(step);
    length = took >= length ? took : length - (length - took) / kForget;
  }

  // It would have taken at least so long.
  void cut_short(int step, time::Duration after) {
    auto& length = place(step);
    length = std::max(length, after);
  }

 private:
  // One long turn is forgotten by half after five short ones.
  static constexpr int kForget = 8;

  time::Duration& place(int step) {
    const auto index = static_cast<std::size_t>(step);
    if (index >= by_step_.size()) by_step_.resize(index + 1);
    return by_step_[index];
  }

  std::vector<time::Duration> by_step_;
};

}  // namespace lockkeeper::scheduling
