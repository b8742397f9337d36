// SPDX-License-Identifier: Apache-2.0
//
// How far back promotion looks for jobs of one plane that are due. As a rule all the way; but due
// jobs of paused queues stay where they are, what was promoted leaves entries in the index while
// somebody pins the horizon, and with a million of either a look takes longer than the interval.
// What was looked at once and found to be nothing is then passed over for a while, and looked at
// again so rarely that it takes a small part of the time. If even that takes longer than a
// statement may, the look reaches as far as it can. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "time/clock.hpp"

namespace lockkeeper::branches {

class LookBack {
 public:
  // How far to look at this time; empty for all the way.
  std::optional<time::Duration> at(time::TimePoint now) const {
    return is_far(now) ? reach_ : now - *seen_at_ + kLate;
  }

  // Whether a look at this time is one as far as it can be.
  bool is_far(time::TimePoint now) const { return !seen_at_ || now - *seen_at_ >= kRarely * took_; }

  // A look began then and took so long; the oldest job that is due and not paused has been due for
  // so long.
  void saw(time::TimePoint began, time::Duration took, time::Duration oldest) {
    if (!is_far(began)) return;
    const bool is_worth_it = took >= kSlow && oldest < kLate;
    seen_at_ = is_worth_it ? std::optional(began) : std::nullopt;
    took_ = took;
    if (reach_ && took < kEasy) reach_ = 2 * *reach_;
    if (reach_ > kAllTheWay) reach_.reset();
  }

  // It took longer than a statement may.
  void gave_up(time::TimePoint began, time::Duration took) {
    if (!is_far(began)) return;
    reach_ = reach_ ? std::max(*reach_ / 2, 2 * kLate) : kFirstReach;
    seen_at_ = began;
    took_ = took;
  }

 private:
  static constexpr time::Duration kSlow = std::chrono::milliseconds(20);
  static constexpr int kRarely = 20;
  // A job may be seen so long after it has fallen due: its producer commits late.
  static constexpr time::Duration kLate = std::chrono::seconds(10);
  // Twice as far takes less than a statement may.
  static constexpr time::Duration kEasy = std::chrono::milliseconds(250);
  static constexpr time::Duration kFirstReach = std::chrono::minutes(10);
  static constexpr time::Duration kAllTheWay = std::chrono::hours(24 * 3650);

  std::optional<time::TimePoint> seen_at_;
  time::Duration took_{};
  std::optional<time::Duration> reach_;  // empty for all the way
};

}  // namespace lockkeeper::branches
