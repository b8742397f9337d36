// SPDX-License-Identifier: Apache-2.0
//
// The one notion of time in this program: nanoseconds on a clock that never jumps.
// Pure rooms take a TimePoint as an argument and never ask a clock. Host time decides when to
// look at the database, never what is due in it.
#pragma once

#include <chrono>

namespace lockkeeper::time {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

struct SteadyClock {
  TimePoint now() const { return std::chrono::steady_clock::now(); }
};

// Fractional seconds, the unit of every Prometheus name that ends in _seconds.
constexpr double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace lockkeeper::time
