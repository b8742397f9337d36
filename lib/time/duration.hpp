// SPDX-License-Identifier: Apache-2.0
//
// Durations as people write them: a number and a unit, "250ms", "1.5s", "2m", "24h", "30d".
// Exact: nothing is truncated to a coarser unit. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "time/clock.hpp"

namespace lockkeeper::time {

// Reads one non-negative number with one unit of ns, us, ms, s, m, h, d, no blanks.
// Empty for anything else: no unit, a sign, a value beyond 292 years.
std::optional<Duration> parse_duration(std::string_view text);

// The shortest exact spelling that parse_duration reads back: 1500ms is "1.5s".
std::string format_duration(Duration duration);

}  // namespace lockkeeper::time
