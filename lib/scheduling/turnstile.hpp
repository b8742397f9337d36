// SPDX-License-Identifier: Apache-2.0
//
// Lets one duty at a time use the leader session, and takes it back from hygiene when an slo
// duty needs it. Knows who waits and since when, and nothing of intervals and passes. Pure.
#pragma once

#include <optional>
#include <vector>

#include "scheduling/policy.hpp"

namespace lockkeeper::scheduling {

class Turnstile final : public Policy {
 public:
  explicit Turnstile(const Limits& limits) : limits_(limits) {}

  void want(const Candidate& candidate) override { waiting_.push_back(candidate); }
  std::optional<Candidate> admit(time::TimePoint now,
                                 std::optional<time::TimePoint> next_slo) override;
  bool take_back(time::TimePoint now) override;
  std::optional<time::TimePoint> wake_at() const override;
  bool shield() override;
  void turn_ended(time::TimePoint now) override;
  void cancel_answered() override { is_cancel_pending_ = false; }
  const std::optional<Turn>& turn() const override { return turn_; }

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
