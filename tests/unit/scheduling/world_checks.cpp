// SPDX-License-Identifier: Apache-2.0
//
// What must hold in every world.
#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/scheduling/world.hpp"

namespace lockkeeper::scheduling::test {

using namespace std::chrono_literals;

void must(bool holds, const char* what) {
  if (!holds) FAIL(what);
}

namespace {

// The heaviest piece that cannot be taken back, and some turns of others.
constexpr auto kLongestForSlo = 250ms;
// Five other duties, each up to five times taken back, that share one turn in 100 ms.
constexpr auto kLongestForHygiene = 4s;

}  // namespace

void World::check_grant(const Actor& actor) const {
  must(!running_, "one turn at a time");
  must(!cancel_, "no turn before every cancel was answered");
  check_longing(actor);
  const auto slo = oldest_slo();
  if (actor.duty.lane == Lane::slo) {
    must(*actor.wants_at <= *slo, "the slo duty that is due longest goes first");
    return;
  }
  // Hygiene goes before a waiting slo duty only when its lane was hungry.
  if (slo) {
    must(now_ - hygiene_ended_ >= kLimits.hygiene_at_least_every, "slo before hygiene");
  }
  if (actor.shape.heavy && is_after_heavy_) {
    must(now_ - *actor.wants_at >= kLimits.heavy_patience, "an slo turn between two heavy pieces");
  }
}

// At the end of a statement: what an slo duty waits for it is grace and cancel, or the protected
// time and cancel. What cannot be cancelled comes after it.
void World::check_slo_wait() const {
  if (actors_[running_->duty].duty.lane == Lane::slo) return;
  const auto slo = oldest_slo();
  if (!slo) return;
  const auto asked = std::max(*slo, running_->granted) + kLimits.grace;
  const auto latest =
      running_->is_protected ? std::max(asked, running_->granted + kLimits.protected_turn) : asked;
  if (now_ <= latest + kLoopLateness) return;
  must(running_->cancelled_at && *running_->cancelled_at <= latest + kLoopLateness,
       "an slo duty waits for grace and cancel, or the protected time, never more");
  must(running_->was_cancelled || now_ <= running_->cancel_again_at + kLoopLateness,
       "a cancel is sent again until the statement has ended");
}

// Everybody gets on, whatever the others do.
void World::check_longing(const Actor& actor) const {
  const auto limit = actor.duty.lane == Lane::slo ? kLongestForSlo : kLongestForHygiene;
  must(!actor.longs_for || now_ - *actor.longs_for < limit, "nobody waits for ever");
}

void World::check_totals() const {
  for (const auto& actor : actors_) {
    CAPTURE(actor.duty.name, actor.passes);
    must(actor.passes > 0, "everybody runs");
    check_longing(actor);
    if (!actor.is_plain()) continue;
    // Every due time was answered by a pass or counted as missed, but for the last few.
    const auto due_times = static_cast<std::uint64_t>((now_ - kStart) / actor.duty.every) + 1;
    must(actor.passes + actor.missed <= due_times, "no due time is answered twice");
    if (actor.is_in_pass || actor.wants(now_)) continue;
    must(actor.passes + actor.missed + untold(actor) == due_times,
         "every due time is answered or counted as missed");
  }
}

// Due times that passed during the last pass are told with the next, which has not come.
std::uint64_t World::untold(const Actor& actor) const {
  const auto first = (actor.last_due - kStart) / actor.duty.every;
  const auto last = (actor.progressed - kStart) / actor.duty.every;
  return static_cast<std::uint64_t>(last - first);
}

}  // namespace lockkeeper::scheduling::test
