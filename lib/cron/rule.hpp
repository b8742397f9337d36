// SPDX-License-Identifier: Apache-2.0
//
// How the clocks of a zone go on changing after the last change that its file lists. The rule
// stands at the end of the file, in the notation of POSIX: CET-1CEST,M3.5.0,M10.5.0/3. Files list
// changes up to 2037, or only up to the year in which the rule was made. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lockkeeper::cron {

// While nothing changes: from, until, and how far the clocks are ahead of UTC.
struct Period {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
  std::chrono::seconds ahead;
};

class Rule {
 public:
  // Empty for a rule without changes, and for what is none.
  static std::optional<Rule> parse(std::string_view text);

  Period at(std::chrono::sys_seconds instant) const;

 private:
  friend class RuleReader;

  // A day of each year and a time on the clock before the change.
  struct Change {
    enum class Kind { weekday_of_month, day_without_29_february, day_of_year };
    Kind kind = Kind::weekday_of_month;
    std::int64_t month = 0;
    std::int64_t week = 0;  // 5 is the last
    std::int64_t day = 0;
    std::chrono::seconds time = std::chrono::hours(2);
    std::chrono::seconds before{};  // how far the clocks are ahead until then
    std::chrono::seconds after{};

    std::chrono::sys_seconds in(std::chrono::year year) const;
  };

  std::array<Change, 2> changes_;
};

}  // namespace lockkeeper::cron
