// SPDX-License-Identifier: Apache-2.0
//
// Lets one duty at a time use the leader session, and takes it back from hygiene when an slo
// duty needs it. Knows who waits and since when, and nothing of intervals and passes. Pure.
#pragma once

#include <optional>
#include <vector>

#include "scheduling/scheduler.hpp"

namespace lockkeeper::scheduling {

// Somebody who wants the next turn.
struct Candidate {
  DutyId duty = 0;
  Lane lane = Lane::slo;
  time::TimePoint since{};
  TurnShape shape;
  time::Duration predicted{};  // length of the turn
  int preemptions = 0;         // in a row, up to now
};

class Turnstile {
 public:
  explicit Turnstile(const Limits& limits) : limits_(limits) {}

  void want(const Candidate& candidate) { waiting_.push_back(candidate); }

  // Gives the turn to whoever should have it, if it is free and a cancel is not on its way.
  // `next_slo`: the earliest due time of an slo duty that does not wait yet.
  std::optional<Candidate> admit(time::TimePoint now, std::optional<time::TimePoint> next_slo);

  // True when the holder's statement is to be cancelled now; the cancel counts as sent.
  bool take_back(time::TimePoint now);

  // When, without any other event, admit() or take_back() would next say something else.
  std::optional<time::TimePoint> wake_at() const;

  bool shield();
  void turn_ended(time::TimePoint now);
  void cancel_answered() { is_cancel_pending_ = false; }

  struct Turn {
    Candidate holder;
    time::TimePoint started;
    bool is_protected = false;   // not taken back before protected_turn is over
    bool is_shielded = false;    // not taken back at all
    bool is_taken_back = false;  // a cancel was sent
  };
  const std::optional<Turn>& turn() const { return turn_; }

 private:
  const Candidate* first(Lane lane) const;
  const Candidate* choose(time::TimePoint now, std::optional<time::TimePoint> next_slo) const;
  const Candidate* hungry_hygiene(time::TimePoint now) const;
  bool may_start(const Candidate& candidate, time::TimePoint now,
                 std::optional<time::TimePoint> next_slo) const;
  bool is_tried(const Candidate& candidate) const;
  time::TimePoint patience_ends(const Candidate& candidate) const;
  std::optional<time::TimePoint> take_back_at() const;

  Limits limits_;
  std::vector<Candidate> waiting_;
  std::optional<Turn> turn_;
  bool is_cancel_pending_ = false;
  time::TimePoint cancelled_at_{};
  time::TimePoint hygiene_ended_{};  // the last hygiene turn
  bool is_after_heavy_ = false;      // no slo turn since the last heavy piece
};

}  // namespace lockkeeper::scheduling
