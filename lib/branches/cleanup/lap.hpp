// SPDX-License-Identifier: Apache-2.0
//
// When a sweep begins at the start again. A lap reads what is kept as well, and where one queue
// keeps its jobs far longer than others that may be millions of rows; so a lap that has begun is
// run to its end at once, and the next one rests until reading takes a small part of the time.
// Pure.
#pragma once

#include "time/clock.hpp"

namespace lockkeeper::branches {

class Lap {
 public:
  bool is_under_way() const { return is_under_way_; }

  // True if it has begun; false while it is to rest.
  bool begin(time::TimePoint now) {
    if (now < rests_until_) return false;
    began_ = now;
    read_ = {};
    is_under_way_ = true;
    return true;
  }

  // One window of it took so long to read.
  void read(time::Duration took) { read_ += took; }

  void end() {
    if (read_ >= kMuch) rests_until_ = began_ + kRarely * read_;
    is_under_way_ = false;
  }

 private:
  static constexpr time::Duration kMuch = std::chrono::seconds(1);
  static constexpr int kRarely = 10;

  time::TimePoint began_{};
  time::TimePoint rests_until_{};
  time::Duration read_{};
  bool is_under_way_ = false;
};

}  // namespace lockkeeper::branches
