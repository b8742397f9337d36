// SPDX-License-Identifier: Apache-2.0
//
// Who of those that wait has the next turn, and whether it can be taken back. The scheduler asks
// its policy; intervals and passes stay with the scheduler. The daemon's policy is the Turnstile,
// which knows two lanes; OneLoop knows none, and is what the lanes are measured against. Pure.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "scheduling/scheduler.hpp"

namespace lockkeeper::scheduling {

// Somebody who wants the next turn.
struct Candidate {
  DutyId duty = 0;
  Lane lane = Lane::slo;
  time::TimePoint since{};
  TurnShape shape;
  time::Duration predicted{};  // length of the turn
  int preemptions = 0;         // in a row, up to now, without getting any further
};

struct Turn {
  Candidate holder;
  time::TimePoint started;
  bool is_protected = false;   // not taken back before protected_turn is over
  bool is_shielded = false;    // not taken back at all
  bool is_taken_back = false;  // a cancel was sent
};

class Policy {
 public:
  virtual ~Policy() = default;

  virtual void want(const Candidate& candidate) = 0;

  // Gives the turn to whoever should have it, if it is free and a cancel is not on its way.
  // `next_slo`: the earliest due time of an slo duty that does not wait yet.
  virtual std::optional<Candidate> admit(time::TimePoint now,
                                         std::optional<time::TimePoint> next_slo) = 0;

  // True when the holder's statement is to be cancelled now; the cancel counts as sent.
  virtual bool take_back(time::TimePoint now) = 0;

  // When, without any other event, admit() or take_back() would next say something else.
  virtual std::optional<time::TimePoint> wake_at() const = 0;

  virtual bool shield() = 0;
  virtual void turn_ended(time::TimePoint now) = 0;
  virtual void cancel_answered() = 0;
  virtual const std::optional<Turn>& turn() const = 0;

  // The last two are for OneLoop, which no daemon runs.

  // Whether a pass may answer a due time that has come. If not, the next one of the interval is
  // waited for.
  virtual bool may_begin(DutyId, const Duty&) { return true; }

  // From the first turn to the end of the last one.
  virtual void pass_ended(DutyId, const Duty&, time::Duration /*took*/) {}
};

using MakePolicy = std::function<std::unique_ptr<Policy>()>;

// The daemon's.
std::unique_ptr<Policy> two_lanes();

}  // namespace lockkeeper::scheduling
