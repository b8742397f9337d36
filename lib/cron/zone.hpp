// SPDX-License-Identifier: Apache-2.0
//
// A time zone: what its clocks on the wall show at an instant, and when they show it. From the
// zone database of the system, which is read on first use and kept: a newer one counts after a
// restart. The only door to the tz library. Otherwise pure.
//
// A clock that is set forward leaves out some times, and one that is set back shows some twice.
// first() answers for both: the instant at which the clock has reached that time for the first
// time, which is the end of the gap, or the earlier of two.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "cron/calendar.hpp"
#include "cron/rule.hpp"

namespace date {
class time_zone;
}

namespace lockkeeper::cron {

// As the database tells it.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// The message names the zone and the nearest one that there is.
class ZoneError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Zone {
 public:
  // By its IANA name or another name of it, in exact case.
  static Zone find(const std::string& name);

  Wall wall(Instant at) const;     // without the fraction of a second
  Wall reached(Instant at) const;  // the latest time that was shown so far
  Instant first(Wall time) const;  // never falls as `time` rises

 private:
  explicit Zone(const date::time_zone* zone);
  Period period(std::chrono::sys_seconds at) const;

  const date::time_zone* zone_;  // lives as long as the program
  std::optional<Rule> rule_;     // for what comes after all changes that the library knows
};

}  // namespace lockkeeper::cron
