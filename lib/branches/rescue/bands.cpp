// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue/bands.hpp"

#include <algorithm>
#include <utility>

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

// Something may come to light so long after its time: whoever writes it commits late. What comes
// later still, as a job that parks after its timeout has passed, is found by a round.
constexpr time::Duration kLate = 10s;

constexpr time::Duration kFirstWidth = 10min;
constexpr time::Duration kLeastWidth = 1min;
constexpr time::Duration kEver = 24h * 3650;

// A band that takes less is too narrow, one that takes more is too wide; and after so much a pass
// is over.
constexpr time::Duration kQuick = 50ms;
constexpr time::Duration kSlow = 250ms;

constexpr time::Duration kBetweenRounds = 5min;
constexpr int kRarely = 20;

// So often a first band comes again for what was left there.
constexpr int kTries = 20;

time::Duration a_quarter(time::Duration width) { return std::max(width / 4, kLeastWidth); }

}  // namespace

Band Bands::first(time::TimePoint now) {
  is_first_ = true;
  pass_took_ = {};
  band_ = {};
  if (is_whole()) return band_;
  const auto unseen = now - seen_at_ + kLate;
  band_.oldest = std::min(unseen, reach_.value_or(unseen));
  if (*band_.oldest < unseen) begin_round(now, now - *reach_);
  return band_;
}

std::optional<Band> Bands::next(time::TimePoint now) {
  if (std::exchange(is_again_, false)) return first(now);
  const bool is_enough = !is_first_ && pass_took_ >= kSlow;
  if (is_whole() || is_enough) return std::nullopt;
  if (!rest_) {
    if (now - round_began_ < std::max(kBetweenRounds, kRarely * round_took_)) return std::nullopt;
    width_ = kFirstWidth;
    begin_round(now, now);
  }
  is_first_ = false;
  band_.youngest = std::max(now - *rest_ - kLate, 0ns);
  band_.oldest = band_.youngest + *width_;
  if (*band_.oldest > kEver) band_.oldest.reset();
  return band_;
}

void Bands::saw(time::TimePoint began, time::Duration longest, bool is_done) {
  pass_took_ += longest;
  if (is_whole()) {
    if (longest >= kSlow && is_done) split(began, longest);
  } else if (is_first_) {
    if (!is_done && ++tries_ < kTries) return;
    seen_at_ = began;
    reach_.reset();
    tries_ = 0;
  } else {
    round_took_ += longest;
    go_on_behind_band(began);
    fit_width(longest);
  }
}

// The look at everything takes too long; it has just been all the way.
void Bands::split(time::TimePoint began, time::Duration took) {
  width_ = kFirstWidth;
  seen_at_ = began;
  begin_round(began, began);
  round_took_ = took;
  rest_.reset();
}

void Bands::fit_width(time::Duration longest) {
  if (!rest_ && round_took_ < kSlow) width_.reset();
  if (rest_ && longest < kQuick) width_ = *width_ * 2;
  if (rest_ && longest > kSlow) width_ = std::max(*width_ / 2, kLeastWidth);
}

bool Bands::gave_up(time::TimePoint began, time::Duration took) {
  pass_took_ += took;
  if (is_whole()) {
    width_ = kFirstWidth;
    reach_ = kFirstWidth;
    seen_at_ = began - kEver;
    is_again_ = true;
    return true;
  }
  if (is_first_) {
    reach_ = a_quarter(*band_.oldest);
    return false;
  }
  round_took_ += took;
  const auto asked = band_.oldest ? *band_.oldest - band_.youngest : *width_;
  width_ = a_quarter(asked);
  if (asked > kLeastWidth) return true;
  go_on_behind_band(began);
  return false;
}

void Bands::begin_round(time::TimePoint now, time::TimePoint from) {
  round_began_ = now;
  round_took_ = {};
  rest_ = from;
}

void Bands::go_on_behind_band(time::TimePoint began) {
  rest_.reset();
  if (band_.oldest) rest_ = began - *band_.oldest;
}

}  // namespace lockkeeper::branches
