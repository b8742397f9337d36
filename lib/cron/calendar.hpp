// SPDX-License-Identifier: Apache-2.0
//
// Which times on a wall an expression means: the next one, and the one before, found field by
// field. A year is of one of fourteen kinds, by its length and the weekday it begins with; the
// days that match are known for each kind, so a date that never comes is known to be one at
// once, and a rare one is found by looking at a year at a time. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "cron/expression.hpp"

namespace lockkeeper::cron {

using Wall = std::chrono::local_seconds;  // as a clock on the wall of some zone shows it

class Calendar {
 public:
  explicit Calendar(const Expression& expression);

  // The first time that matches at or after `from`, the last one at or before `until`; empty only
  // if nothing ever matches.
  std::optional<Wall> next(Wall from) const;
  std::optional<Wall> previous(Wall until) const;

  bool is_empty() const { return is_empty_; }

 private:
  using YearDays = std::array<std::uint64_t, 6>;  // a bit a day, 1 January is bit 0

  std::optional<std::chrono::local_days> next_day(std::chrono::local_days from) const;
  std::optional<std::chrono::local_days> previous_day(std::chrono::local_days until) const;
  std::optional<std::chrono::seconds> time_from(std::chrono::seconds since_midnight) const;
  std::optional<std::chrono::seconds> time_until(std::chrono::seconds since_midnight) const;
  const YearDays& days_of(std::chrono::year year) const;

  Numbers seconds_;
  Numbers minutes_;
  Numbers hours_;
  std::array<YearDays, 14> days_{};  // by weekday of 1 January; leap years behind the others
  bool is_empty_ = false;
};

}  // namespace lockkeeper::cron
