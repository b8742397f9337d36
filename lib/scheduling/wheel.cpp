// SPDX-License-Identifier: Apache-2.0
#include "scheduling/wheel.hpp"

#include <algorithm>

namespace lockkeeper::scheduling {
namespace {

bool is_earlier(const TimerWheel::Entry& one, const TimerWheel::Entry& other) {
  return one.due < other.due;
}

}  // namespace

void TimerWheel::insert(std::size_t id, time::TimePoint due) {
  slots_[slot_of(std::max(tick_of(due), turned_to_))].push_back({id, due});
}

void TimerWheel::remove(std::size_t id) {
  for (auto& slot : slots_) {
    std::erase_if(slot, [&](const Entry& entry) { return entry.id == id; });
  }
}

std::vector<TimerWheel::Entry> TimerWheel::advance(time::TimePoint now) {
  std::vector<Entry> due;
  const auto target = std::max(tick_of(now), turned_to_);
  const auto last = std::min(target, turned_to_ + kSlots - 1);  // once around is everywhere
  for (auto tick = turned_to_; tick <= last; ++tick) take_due(slots_[slot_of(tick)], now, due);
  turned_to_ = target;
  std::stable_sort(due.begin(), due.end(), is_earlier);
  return due;
}

void TimerWheel::take_due(std::vector<Entry>& slot, time::TimePoint now, std::vector<Entry>& due) {
  const auto is_due = [&](const Entry& entry) { return entry.due <= now; };
  std::copy_if(slot.begin(), slot.end(), std::back_inserter(due), is_due);
  std::erase_if(slot, is_due);
}

// The first slot that holds an entry of the present turn holds the earliest of all.
std::optional<time::TimePoint> TimerWheel::next_due() const {
  std::optional<time::TimePoint> earliest;
  for (auto tick = turned_to_; tick < turned_to_ + kSlots; ++tick) {
    for (const auto& entry : slots_[slot_of(tick)]) {
      if (!earliest || entry.due < *earliest) earliest = entry.due;
    }
    if (earliest && tick_of(*earliest) <= tick) return earliest;
  }
  return earliest;
}

}  // namespace lockkeeper::scheduling
