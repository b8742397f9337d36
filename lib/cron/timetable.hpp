// SPDX-License-Identifier: Apache-2.0
//
// When a schedule fires: an expression in a zone. Pure; time comes in as an argument.
//
// Every time that the expression means is fired once, at the first instant at which the zone's
// clocks have reached it; times that a clock leaves out fall together at the end of the gap.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cron/calendar.hpp"
#include "cron/zone.hpp"

namespace lockkeeper::cron {

// How far a schedule has come.
struct Progress {
  std::optional<Instant> last;  // the fire that was enqueued last
  Instant created;
  bool catches_up = false;  // every missed fire, not only the newest
};

class Timetable {
 public:
  // Throws ExpressionError or ZoneError.
  Timetable(std::string_view expression, const std::string& zone);

  // The fire that is to be enqueued now, if there is one: the oldest that was missed when the
  // schedule catches up, otherwise the newest. A schedule that has never fired begins a minute
  // before it was created, and with the newest in any case.
  std::optional<Instant> due(const Progress& progress, Instant now) const;

  // The first fire after `now` that will be due; empty if there will be none.
  std::optional<Instant> upcoming(const Progress& progress, Instant now) const;

  // The first fire after that instant.
  std::optional<Instant> after(Instant instant) const;

  const Zone& zone() const { return zone_; }

 private:
  // True for a time in a gap if the last second before the gap is fired: what reads on from there,
  // as the workers' library does, finds itself behind the gap.
  bool is_passed_over(Wall time) const;

  // The earliest time that counts for a schedule that has never fired.
  Wall beginning(const Progress& progress) const;

  std::optional<Instant> first_from(Wall from) const;

  Calendar calendar_;
  Zone zone_;
};

}  // namespace lockkeeper::cron
