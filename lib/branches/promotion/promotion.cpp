// SPDX-License-Identifier: Apache-2.0
#include "branches/promotion/promotion.hpp"

#include <fmt/format.h>

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

// A job that could not be moved is tried again after this: a bad one when somebody may have
// mended it, one in somebody's way soon, and sooner still if everything was in the way.
constexpr auto kBad = 30s;
constexpr auto kInTheWay = 5s;
constexpr auto kAllInTheWay = 1s;

// For metrics.
std::string_view word(const pg::SqlState& state) {
  return fault_of(state) == Fault::row ? "bad_row" : "locked";
}

}  // namespace

Jobs part(const Jobs& jobs, const Bisection::Range& range) {
  return Jobs(jobs.begin() + static_cast<std::ptrdiff_t>(range.begin),
              jobs.begin() + static_cast<std::ptrdiff_t>(range.end));
}

pg::Parameter PromotionPass::look_back(std::span<const Plane> planes) const {
  const auto now = time::SteadyClock().now();
  time::Duration farthest{};
  for (const auto plane : planes) {
    const auto back = memory.look_backs[plane].at(now);
    if (!back) return std::nullopt;
    farthest = std::max(farthest, *back);
  }
  return farthest;
}

Jobs PromotionPass::left_alone(Plane plane) const {
  Jobs jobs;
  for (const auto& [place, until] : memory.left_alone) {
    if (place.first == plane && until > ctx.due()) jobs.push_back(place.second);
  }
  return jobs;
}

void PromotionPass::leave_alone(Plane plane, std::int64_t job, const pg::SqlState& why,
                                bool have_others_passed) {
  const time::Duration contended = have_others_passed ? kInTheWay : kAllInTheWay;
  std::erase_if(memory.left_alone, [&](const auto& entry) { return entry.second <= ctx.due(); });
  memory.left_alone[{plane, job}] = ctx.due() + (fault_of(why) == Fault::row ? kBad : contended);
  report_refusal(fmt::format("job {}", job), why);
}

bool PromotionPass::leave_alone(Plane plane, const Jobs& jobs, const Bisection& search) {
  bool has_bad_rows = false;
  for (const auto& [row, why] : search.given_up()) {
    leave_alone(plane, jobs[row], why, search.passed() > 0);
    has_bad_rows |= fault_of(why) == Fault::row;
  }
  return has_bad_rows || search.passed() > 0;
}

void PromotionPass::close_lane(const std::string& queue, std::int64_t priority) {
  closed_queues.push_back(queue);
  closed_priorities.push_back(priority);
}

bool PromotionPass::batch_failed(const pg::SqlState& why) {
  const auto before = memory.pace.rows();
  if (why.is_cancelled()) memory.pace.cut_short();
  return memory.pace.rows() < before;
}

void PromotionPass::report_refusal(std::string_view what, const pg::SqlState& why) {
  ctx.report().skipped_rows(word(why), 1, fmt::format("{}, SQLSTATE {}", what, why.code()));
}

void PromotionPass::report_batch(std::string_view state, std::int64_t jobs, const Jobs& late,
                                 time::Duration took) {
  ctx.moved(jobs);
  memory.pace.took(jobs, took);
  ctx.report().promoted(state, jobs, took);
  ctx.report().batch_size(memory.pace.rows());
  for (const auto milliseconds : late) {
    ctx.report().promotion_lateness(std::chrono::milliseconds(milliseconds), 1);
  }
}

}  // namespace lockkeeper::branches
