// SPDX-License-Identifier: Apache-2.0
//
// Awa's way of sharing a leader, for a benchmark that asks what two lanes are worth: one pass
// after the other, each to its end, in random order among those that are due, whatever their
// lane; and a branch that takes too long cools down. Nothing is ever taken back. Pure.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "scheduling/cool_down.hpp"
#include "scheduling/policy.hpp"

namespace lockkeeper::scheduling {

class OneLoop final : public Policy {
 public:
  // The names are those of duties that never cool down.
  OneLoop(std::uint64_t seed, std::set<std::string> never_cooled)
      : random_(seed), never_cooled_(std::move(never_cooled)) {}

  void want(const Candidate& candidate) override { waiting_.push_back(candidate); }
  std::optional<Candidate> admit(time::TimePoint now,
                                 std::optional<time::TimePoint> next_slo) override;
  bool take_back(time::TimePoint) override { return false; }
  std::optional<time::TimePoint> wake_at() const override { return std::nullopt; }
  bool shield() override { return turn_.has_value(); }
  void turn_ended(time::TimePoint) override { turn_.reset(); }
  void cancel_answered() override {}
  const std::optional<Turn>& turn() const override { return turn_; }
  bool may_begin(DutyId id, const Duty& duty) override;
  void pass_ended(DutyId id, const Duty& duty, time::Duration took) override;

 private:
  std::vector<Candidate>::iterator next();
  CoolDown& cool_down(DutyId id, const Duty& duty);

  std::mt19937_64 random_;
  std::set<std::string> never_cooled_;
  std::map<DutyId, CoolDown> cool_downs_;
  std::vector<Candidate> waiting_;
  std::optional<Turn> turn_;
  std::optional<DutyId> in_pass_;  // nobody else has a turn before its pass has ended
};

}  // namespace lockkeeper::scheduling
