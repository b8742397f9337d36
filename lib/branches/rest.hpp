// SPDX-License-Identifier: Apache-2.0
//
// Keeps what reads whole tables from taking more than a tenth of the time, however large they are:
// work of so long is followed by a rest of nine times that. Loop thread only.
#pragma once

#include "time/clock.hpp"

namespace lockkeeper::branches {

class Rest {
 public:
  // What is done while it lives is work, also when an exception ends it.
  class Work {
   public:
    explicit Work(Rest& rest) : rest_(rest) {}
    ~Work() { rest_.worked_ += time::SteadyClock().now() - began_; }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

   private:
    Rest& rest_;
    time::TimePoint began_ = time::SteadyClock().now();
  };

  // The work has come to its end.
  void begin() {
    until_ = time::SteadyClock().now() + 9 * worked_;
    worked_ = {};
  }
  bool is_over() const { return time::SteadyClock().now() >= until_; }

 private:
  time::Duration worked_{};
  time::TimePoint until_{};
};

}  // namespace lockkeeper::branches
