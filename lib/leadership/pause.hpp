// SPDX-License-Identifier: Apache-2.0
//
// How long to wait before the next try. Jitter only ever shortens, so that many daemons that
// were told the same thing do not come back at the same moment, and none comes late. Pure but
// for its random numbers.
#pragma once

#include <algorithm>
#include <random>

#include "time/clock.hpp"

namespace lockkeeper::leadership {

class Pause {
 public:
  Pause() : random_(std::random_device{}()) {}

  // Doubles with each call until reset(): 100 ms … 5 s.
  time::Duration next() {
    const auto pause = present_;
    present_ = std::min<time::Duration>(2 * present_, std::chrono::seconds(5));
    return jittered(pause);
  }
  void reset() { present_ = kFirst; }

  // Between 70 % and all of it.
  time::Duration jittered(time::Duration longest) {
    std::uniform_int_distribution<time::Duration::rep> between(longest.count() * 7 / 10,
                                                               longest.count());
    return time::Duration(between(random_));
  }

 private:
  static constexpr time::Duration kFirst = std::chrono::milliseconds(100);
  std::minstd_rand random_;
  time::Duration present_ = kFirst;
};

}  // namespace lockkeeper::leadership
