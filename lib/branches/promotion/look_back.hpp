// SPDX-License-Identifier: Apache-2.0
//
// How far back promotion looks for jobs that are due. As a rule all the way; but due jobs of
// paused queues stay where they are, and with a million of them a look takes longer than the
// interval. What was looked at once and found paused is then passed over for a while, and looked at
// again so rarely that it takes a small part of the time. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "time/clock.hpp"

namespace lockkeeper::branches {

class LookBack {
 public:
  // How far to look at this time; empty for all the way.
  std::optional<time::Duration> at(time::TimePoint now) const {
    if (!seen_all_at_ || now - *seen_all_at_ >= kRarely * took_) return std::nullopt;
    return now - *seen_all_at_ + kLate;
  }

  // A look all the way began then and took so long; the oldest job that is due and not paused has
  // been due for so long.
  void saw_all(time::TimePoint began, time::Duration took, time::Duration oldest) {
    const bool is_worth_it = took >= kSlow && oldest < kLate;
    seen_all_at_ = is_worth_it ? std::optional(began) : std::nullopt;
    took_ = took;
  }

 private:
  static constexpr time::Duration kSlow = std::chrono::milliseconds(20);
  static constexpr int kRarely = 20;
  // A job may be seen so long after it has fallen due: its producer commits late.
  static constexpr time::Duration kLate = std::chrono::seconds(10);

  std::optional<time::TimePoint> seen_all_at_;
  time::Duration took_{};
};

}  // namespace lockkeeper::branches
