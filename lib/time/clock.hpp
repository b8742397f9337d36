// SPDX-License-Identifier: Apache-2.0
//
// The one notion of time in this program: nanoseconds on a clock that never jumps.
// Pure rooms take a TimePoint as an argument and never ask a clock; the event loop
// owns the real clock, tests own a ManualClock. Host time decides when to look at the
// database, never what is due in it.
#pragma once

#include <chrono>

namespace lockkeeper::time {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

// Stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{};
};

// Fractional seconds, the unit of every Prometheus name that ends in _seconds.
constexpr double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace lockkeeper::time
