// SPDX-License-Identifier: Apache-2.0
#include "branches/operations/walk.hpp"

#include <limits>
#include <utility>

namespace lockkeeper::branches {
namespace {

constexpr auto kBeforeAll = std::numeric_limits<std::int64_t>::min();

}  // namespace

Walk::Walk(std::size_t tables, bool has_lanes)
    : tables_(tables), after_(kBeforeAll), has_more_lanes_(has_lanes) {}

Walk::Step Walk::next() const {
  if (table_ < tables_) return Step::jobs;
  if (!page_.empty()) return Step::lane;
  return has_more_lanes_ ? Step::lanes : Step::over;
}

void Walk::looked_at_jobs(std::int64_t last, bool has_more) {
  after_ = has_more ? last : kBeforeAll;
  if (!has_more) ++table_;
}

void Walk::found_lanes(std::vector<WaitingLane> page, bool has_more) {
  has_more_lanes_ = has_more;
  if (!page.empty()) last_ = page.back();
  page_ = std::move(page);
  std::erase_if(page_, [](const WaitingLane& lane) { return lane.slots.empty(); });
  at_ = 0;
}

void Walk::looked_at_lane(std::int64_t last, bool has_more) {
  auto& lane = page_[at_];
  lane.place = has_more ? last + 1 : lane.first;
  if (!has_more) lane.slots.erase(lane.slots.begin());
  if (lane.slots.empty()) {
    page_.erase(page_.begin() + static_cast<std::ptrdiff_t>(at_));
  } else {
    ++at_;
  }
  if (at_ >= page_.size()) at_ = 0;
}

}  // namespace lockkeeper::branches
