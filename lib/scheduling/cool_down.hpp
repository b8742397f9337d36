// SPDX-License-Identifier: Apache-2.0
//
// How Awa silences a branch that takes too long: after three passes above 1.5 times its interval
// the branch is skipped at this due time and the next 120; one more such pass and it is skipped
// again. A pass below 0.7 times the interval starts the count anew. A pass is judged when the next
// one is due. Pure.
#pragma once

#include <optional>
#include <utility>

#include "time/clock.hpp"

namespace lockkeeper::scheduling {

class CoolDown {
 public:
  explicit CoolDown(time::Duration every) : every_(every) {}

  // Asked once at each due time.
  bool may_begin() {
    if (left_ > 0) {
      --left_;
      return false;
    }
    const auto took = std::exchange(took_, std::nullopt);
    if (!took || !is_over(*took)) return true;
    if (++overruns_ < kInARow) return true;
    left_ = kDueTimes;
    return false;
  }

  void pass_took(time::Duration took) { took_ = took; }

 private:
  static constexpr int kInARow = 3;
  static constexpr int kDueTimes = 120;

  bool is_over(time::Duration took) {
    if (took * 10 < every_ * 7) overruns_ = 0;
    return took * 10 > every_ * 15;
  }

  time::Duration every_;
  std::optional<time::Duration> took_;  // of a pass that has not been judged yet
  int overruns_ = 0;
  int left_ = 0;  // due times to skip
};

}  // namespace lockkeeper::scheduling
