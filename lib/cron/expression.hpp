// SPDX-License-Identifier: Apache-2.0
//
// A cron expression, read into sets of numbers. The grammar is the one that Awa's workers accept
// (its cron library with optional seconds), to the letter: whatever they refuse is refused, and
// what looks strange to a reader means here what it means there. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace lockkeeper::cron {

// Numbers up to 63; bit n stands for n.
using Numbers = std::uint64_t;

constexpr bool has(Numbers numbers, unsigned number) { return (numbers >> number & 1) != 0; }

struct Expression {
  Numbers seconds = 0;
  Numbers minutes = 0;
  Numbers hours = 0;
  Numbers months = 0;

  Numbers days = 0;           // of the month
  Numbers closest_days = 0;   // 15W: the weekday next to that day
  bool has_last_day = false;  // L
  bool is_any_day = false;    // written as *, which is not the same as 1-31

  Numbers weekdays = 0;                   // 0 is Sunday
  std::array<Numbers, 6> nth_weekdays{};  // 5#2: by the number behind the #, from 1
  Numbers last_weekdays = 0;              // 5L
  bool is_any_weekday = false;            // written as *
};

// The message names the field, the part of it and its place, and says what to write.
class ExpressionError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Five fields, minute to weekday, or six with seconds in front; or a name such as @daily.
Expression parse(std::string_view text);

}  // namespace lockkeeper::cron
