// SPDX-License-Identifier: Apache-2.0
//
// The number of rows that a batch should have, so that it takes about the time it may: grows
// by a quarter at most while full batches are quick, shrinks at once when one is slow or
// is taken back. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "time/clock.hpp"

namespace lockkeeper::scheduling {

class Pace {
 public:
  // Starts at `most`: the operator's number is a limit, not a wish.
  Pace(std::int64_t least, std::int64_t most, time::Duration target)
      : least_(std::min(least, most)), most_(most), target_(target), rows_(most) {}

  std::int64_t rows() const { return rows_; }

  // A batch of `rows` took so long. One that was not full says nothing about a larger one.
  void took(std::int64_t rows, time::Duration length) {
    if (rows <= 0 || length.count() <= 0) return;
    const auto fitting = static_cast<double>(rows) * time::seconds(target_) / time::seconds(length);
    if (length > target_) return set(std::min(fitting, static_cast<double>(rows_)));
    if (rows >= rows_) set(std::min(fitting, static_cast<double>(rows_) * 1.25 + 1));
  }

  // A batch was cancelled before it had ended.
  void cut_short() { set(static_cast<double>(rows_) / 2); }

 private:
  void set(double rows) {
    rows_ = std::clamp(static_cast<std::int64_t>(std::min(rows, 1e15)), least_, most_);
  }

  std::int64_t least_;
  std::int64_t most_;
  time::Duration target_;
  std::int64_t rows_;
};

}  // namespace lockkeeper::scheduling
