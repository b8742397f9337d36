// SPDX-License-Identifier: Apache-2.0
#include "scheduling/turnstile.hpp"

#include <algorithm>

namespace lockkeeper::scheduling {

using time::TimePoint;

std::optional<Candidate> Turnstile::admit(TimePoint now, std::optional<TimePoint> next_slo) {
  if (turn_ || is_cancel_pending_) return std::nullopt;
  const auto* chosen = choose(now, next_slo);
  if (chosen == nullptr) return std::nullopt;
  const auto holder = *chosen;
  const bool is_ahead_of_slo = holder.lane == Lane::hygiene && first(Lane::slo) != nullptr;
  turn_ = Turn{holder, now, is_ahead_of_slo || is_tried(holder)};
  is_after_heavy_ = holder.lane == Lane::hygiene && (holder.shape.heavy || is_after_heavy_);
  std::erase_if(waiting_, [&](const Candidate& each) { return each.duty == holder.duty; });
  return holder;
}

// Equal times go to the duty named first in the catalog.
const Candidate* Turnstile::first(Lane lane) const {
  const Candidate* found = nullptr;
  for (const auto& each : waiting_) {
    if (each.lane != lane) continue;
    if (found == nullptr || each.since < found->since ||
        (each.since == found->since && each.duty < found->duty)) {
      found = &each;
    }
  }
  return found;
}

const Candidate* Turnstile::choose(TimePoint now, std::optional<TimePoint> next_slo) const {
  if (const auto* slo = first(Lane::slo)) {
    const auto* hungry = hungry_hygiene(now);
    return hungry != nullptr ? hungry : slo;
  }
  const Candidate* found = nullptr;
  for (const auto& each : waiting_) {
    const bool is_earlier = found == nullptr || each.since < found->since ||
                            (each.since == found->since && each.duty < found->duty);
    if (is_earlier && may_start(each, now, next_slo)) found = &each;
  }
  return found;
}

// While slo duties wait: the hygiene duty that waits longest, if the lane has had nothing for
// too long. A heavy piece has to wait for its own patience.
const Candidate* Turnstile::hungry_hygiene(TimePoint now) const {
  const Candidate* found = nullptr;
  for (const auto& each : waiting_) {
    if (each.lane != Lane::hygiene) continue;
    if (each.shape.heavy && now < patience_ends(each)) continue;
    if (found == nullptr || each.since < found->since) found = &each;
  }
  if (found == nullptr) return nullptr;
  const auto hungry_since = std::max(found->since, hygiene_ended_);
  return now - hungry_since >= limits_.hygiene_at_least_every ? found : nullptr;
}

bool Turnstile::may_start(const Candidate& candidate, TimePoint now,
                          std::optional<TimePoint> next_slo) const {
  if (now >= patience_ends(candidate)) return true;
  if (candidate.shape.heavy && is_after_heavy_) return false;
  // A protected turn looks for a gap in which nobody has to wait for it.
  const auto gap = is_tried(candidate) ? limits_.protected_turn : candidate.predicted;
  return !next_slo || now + gap <= *next_slo;
}

// Taken back so often that the next turn is a protected one.
bool Turnstile::is_tried(const Candidate& candidate) const {
  return candidate.preemptions >= limits_.preemptions_before_protection;
}

// Whoever has been taken back before has been patient already, and is taken back again at no cost
// to the slo lane; not so a protected turn.
TimePoint Turnstile::patience_ends(const Candidate& candidate) const {
  if (candidate.shape.heavy) return candidate.since + limits_.heavy_patience;
  const bool is_cheap = candidate.preemptions > 0 && !is_tried(candidate);
  return is_cheap ? candidate.since : candidate.since + limits_.patience;
}

bool Turnstile::take_back(TimePoint now) {
  const auto at = take_back_at();
  if (!at || now < *at) return false;
  turn_->is_taken_back = true;
  is_cancel_pending_ = true;
  cancelled_at_ = now;
  return true;
}

// A cancel may come before its statement and do nothing, so it is sent again until the turn
// has ended.
std::optional<TimePoint> Turnstile::take_back_at() const {
  if (!turn_ || is_cancel_pending_) return std::nullopt;
  if (turn_->is_taken_back) return cancelled_at_ + limits_.cancel_repeat;
  if (turn_->holder.lane == Lane::slo || turn_->is_shielded) return std::nullopt;
  const auto* slo = first(Lane::slo);
  if (slo == nullptr) return std::nullopt;
  const auto asked = slo->since + limits_.grace;
  return turn_->is_protected ? std::max(asked, turn_->started + limits_.protected_turn) : asked;
}

std::optional<TimePoint> Turnstile::wake_at() const {
  if (turn_) return take_back_at();
  if (is_cancel_pending_) return std::nullopt;
  std::optional<TimePoint> earliest;
  for (const auto& each : waiting_) {
    const auto at = patience_ends(each);
    if (!earliest || at < *earliest) earliest = at;
  }
  return earliest;
}

bool Turnstile::shield() {
  if (!turn_ || turn_->is_taken_back) return false;
  turn_->is_shielded = true;
  return true;
}

void Turnstile::turn_ended(TimePoint now) {
  if (turn_->holder.lane == Lane::hygiene) hygiene_ended_ = now;
  turn_.reset();
}

std::unique_ptr<Policy> two_lanes() { return std::make_unique<Turnstile>(Limits{}); }

}  // namespace lockkeeper::scheduling
