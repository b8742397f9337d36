// SPDX-License-Identifier: Apache-2.0
#include "scheduling/one_loop.hpp"

#include <algorithm>

namespace lockkeeper::scheduling {

using time::TimePoint;

std::optional<Candidate> OneLoop::admit(TimePoint now, std::optional<TimePoint>) {
  if (turn_) return std::nullopt;
  const auto chosen = next();
  if (chosen == waiting_.end()) return std::nullopt;
  const auto holder = *chosen;
  waiting_.erase(chosen);
  in_pass_ = holder.duty;
  turn_ = Turn{holder, now};
  return holder;
}

std::vector<Candidate>::iterator OneLoop::next() {
  if (waiting_.empty()) return waiting_.end();
  if (in_pass_) {
    return std::find_if(waiting_.begin(), waiting_.end(),
                        [this](const Candidate& each) { return each.duty == *in_pass_; });
  }
  std::uniform_int_distribution<std::ptrdiff_t> any(
      0, static_cast<std::ptrdiff_t>(waiting_.size()) - 1);
  return waiting_.begin() + any(random_);
}

CoolDown& OneLoop::cool_down(DutyId id, const Duty& duty) {
  return cool_downs_.try_emplace(id, duty.every).first->second;
}

bool OneLoop::may_begin(DutyId id, const Duty& duty) {
  return never_cooled_.contains(duty.name) || cool_down(id, duty).may_begin();
}

void OneLoop::pass_ended(DutyId id, const Duty& duty, time::Duration took) {
  in_pass_.reset();
  cool_down(id, duty).pass_took(took);
}

}  // namespace lockkeeper::scheduling
