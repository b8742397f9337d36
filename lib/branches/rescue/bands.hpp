// SPDX-License-Identifier: Apache-2.0
//
// How a rescue looks at an index of the canonical plane: in bands of age. As a rule one band is
// everything. But while somebody pins the horizon, each heartbeat and each job that has ended
// leaves an entry in the index, and with millions of them a look at everything takes longer than a
// statement may. Then a pass looks at what has grown too old since the last one, and goes on with a
// round through all the rest, a band or a few at a time; rounds take a small part of the time.
// Pure.
#pragma once

#include <optional>

#include "time/clock.hpp"

namespace lockkeeper::branches {

// How long beyond the limit something is; the oldest is empty for however long.
struct Band {
  time::Duration youngest{};
  std::optional<time::Duration> oldest = {};

  // The same as ages, where something is too old beyond the limit.
  Band beyond(time::Duration limit) const {
    if (!oldest) return {youngest + limit};
    return {youngest + limit, *oldest + limit};
  }
  friend bool operator==(const Band&, const Band&) = default;
};

class Bands {
 public:
  // What a pass looks at first: whatever may have grown too old since the last one.
  Band first(time::TimePoint now);

  // What the same pass looks at next; empty if that is enough.
  std::optional<Band> next(time::TimePoint now);

  // The band that was asked for last has been looked at whole; that began then, and its longest
  // statement took so long. Unless all that was found is done with, a first band comes again.
  void saw(time::TimePoint began, time::Duration longest, bool is_done);

  // A look at it took longer than a statement may. False if that leaves nothing to try at once.
  bool gave_up(time::TimePoint began, time::Duration took);

  // Whether one band is everything.
  bool is_whole() const { return !width_; }

 private:
  void split(time::TimePoint began, time::Duration took);
  void fit_width(time::Duration longest);
  void begin_round(time::TimePoint now, time::TimePoint from);
  void go_on_behind_band(time::TimePoint began);

  std::optional<time::Duration> width_;  // of a band of the round
  // First bands: until when they have seen everything, what they came to no end beyond, and how
  // often something was left.
  time::TimePoint seen_at_{};
  std::optional<time::Duration> reach_;
  int tries_ = 0;
  // The round: when it began, where it goes on unless it is over, how long its looks took.
  time::TimePoint round_began_{};
  std::optional<time::TimePoint> rest_;
  time::Duration round_took_{};
  // The pass: the band in question, whether it is to look at a first one again, how long it took.
  Band band_;
  bool is_first_ = true;
  bool is_again_ = false;
  time::Duration pass_took_{};
};

}  // namespace lockkeeper::branches
