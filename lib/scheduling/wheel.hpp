// SPDX-License-Identifier: Apache-2.0
//
// Tells which duties are due. A flat timer wheel: a duty further away than one turn of the
// wheel stays in its slot and is passed over until its time has come. Nothing ticks: the owner
// asks next_due() and comes back then.
// Pure: knows no loop and no clock. Duties are small numbers, each at most once in the wheel.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "time/clock.hpp"

namespace lockkeeper::scheduling {

class TimerWheel {
 public:
  struct Entry {
    std::size_t id;
    time::TimePoint due;
  };

  explicit TimerWheel(time::TimePoint start) : turned_to_(tick_of(start)) {}

  // A due time in the past is due at once.
  void insert(std::size_t id, time::TimePoint due);
  void remove(std::size_t id);

  // Takes out what is due by now, earliest first; equal times in the order of insertion.
  std::vector<Entry> advance(time::TimePoint now);

  std::optional<time::TimePoint> next_due() const;

 private:
  // Half a second around: what is due more often than that never passes its slot twice.
  static constexpr time::Duration kSlotWidth = std::chrono::milliseconds(8);
  static constexpr std::int64_t kSlots = 64;

  static std::int64_t tick_of(time::TimePoint at) { return at.time_since_epoch() / kSlotWidth; }
  static std::size_t slot_of(std::int64_t tick) { return static_cast<std::size_t>(tick % kSlots); }
  void take_due(std::vector<Entry>& slot, time::TimePoint now, std::vector<Entry>& due);

  std::array<std::vector<Entry>, kSlots> slots_;
  std::int64_t turned_to_;  // the tick of the last advance; nothing stands before it
};

}  // namespace lockkeeper::scheduling
