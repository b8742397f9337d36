// SPDX-License-Identifier: Apache-2.0
#include "branches/promotion.hpp"

#include <fmt/format.h>

namespace lockkeeper::branches {
namespace {

// A word for metrics: the row's own fault, somebody else's lock, or something about the server.
std::string_view word(const pg::SqlState& state) {
  if (state.is_row_fault()) return "bad_row";
  return state.is_lock_not_available() || state.is_retryable() ? "locked" : "refused";
}

// A job that could not be moved is tried again after this.
constexpr auto kLeaveAloneFor = std::chrono::seconds(30);

}  // namespace

std::vector<std::int64_t> PromotionPass::left_alone(Plane plane) const {
  std::vector<std::int64_t> jobs;
  for (const auto& [place, until] : memory.left_alone) {
    if (place.first == plane && until > ctx.due()) jobs.push_back(place.second);
  }
  return jobs;
}

void PromotionPass::leave_alone(Plane plane, std::int64_t job, const pg::SqlState& why) {
  std::erase_if(memory.left_alone, [&](const auto& entry) { return entry.second <= ctx.due(); });
  memory.left_alone[{plane, job}] = ctx.due() + kLeaveAloneFor;
  ctx.report().skipped_rows(word(why), 1, fmt::format("job {}, SQLSTATE {}", job, why.code()));
}

void PromotionPass::close_lane(const std::string& queue, std::int64_t priority) {
  closed_queues.push_back(queue);
  closed_priorities.push_back(priority);
}

void PromotionPass::report_batch(std::string_view state, std::int64_t jobs,
                                 const std::vector<std::int64_t>& late, time::Duration took) {
  promoted += jobs;
  memory.pace.took(jobs, took);
  ctx.report().promoted(state, jobs, took);
  ctx.report().batch_size(memory.pace.rows());
  for (const auto milliseconds : late) {
    ctx.report().promotion_lateness(std::chrono::milliseconds(milliseconds), 1);
  }
}

}  // namespace lockkeeper::branches
