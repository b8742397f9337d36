// SPDX-License-Identifier: Apache-2.0
//
// Awa's rule for a branch that takes too long: three passes in a row above 1.5 times its
// interval and it is delayed; three in a row below 0.7 times and it is on time again; what lies
// between counts for neither. Here nothing follows but the report: Awa also stops
// the branch for a while, which for a rescue means an hour. Pure.
#pragma once

#include "time/clock.hpp"

namespace lockkeeper::scheduling {

class Overrun {
 public:
  explicit Overrun(time::Duration every) : every_(every) {}

  // True when this pass made the branch delayed.
  bool pass_took(time::Duration took) {
    const bool is_over = took * 10 > every_ * 15;
    const bool is_under = took * 10 < every_ * 7;
    if (!is_over && !is_under) return false;
    in_a_row_ = is_over == is_delayed_ ? 0 : in_a_row_ + 1;
    if (in_a_row_ < kInARow) return false;
    in_a_row_ = 0;
    is_delayed_ = is_over;
    return is_delayed_;
  }

  bool is_delayed() const { return is_delayed_; }

 private:
  static constexpr int kInARow = 3;
  time::Duration every_;
  int in_a_row_ = 0;  // passes against the present state
  bool is_delayed_ = false;
};

}  // namespace lockkeeper::scheduling
