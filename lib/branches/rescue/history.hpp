// SPDX-License-Identifier: Apache-2.0
//
// What a rescue remembers of the receipts of one kind from pass to pass. A receipt stays when its
// attempt has ended, for as long as a single long attempt pins the claim ring, and then a look at
// all of them takes longer than the interval. So a pass begins where the last one ended, and looks
// once more at what was open there. But a receipt may come to light with an older time, since
// claims commit late: now and then a pass looks at everything, so rarely that this takes a small
// part of the time. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "branches/bisection.hpp"
#include "time/clock.hpp"

namespace lockkeeper::branches {

using Numbers = std::vector<std::int64_t>;

// Attempts as the statements want them: parallel arrays.
struct Candidates {
  Numbers slots;
  Numbers batches;
  Numbers jobs;
  Numbers run_leases;

  std::size_t size() const { return jobs.size(); }
  Candidates part(const Bisection::Range& range) const;
  Candidates at(const Numbers& places) const;  // counted from one
  void add(const Candidates& more);
};

// A place in the order of an index, so that a window beyond it costs the same wherever it is.
struct Cursor {
  std::string at = "-infinity";
  std::int64_t first = -1;
  std::int64_t second = -1;
};

class History {
 public:
  // A pass begins: it looks again at open(), and then at all that lies beyond end().
  void begin(time::TimePoint now);

  const Candidates& open() const { return open_; }
  const Cursor& end() const { return end_; }

  // These are left of what was open.
  void still_open(Candidates left) { open_ = std::move(left); }

  // The next window has taken so long; it ends there, and these are open in it.
  void saw(const Cursor& end, const Candidates& open, time::Duration took);

 private:
  // As many windows are looked at in each pass.
  static constexpr int kFewWindows = 2;
  static constexpr int kRarely = 20;
  // Beyond so many nothing more is remembered, and each pass looks at it.
  static constexpr std::size_t kMostOpen = 10'000;

  // The look at everything, which one pass is.
  time::TimePoint began_{};
  time::Duration took_{};
  int windows_ = 0;
  bool is_anew_ = false;
  bool is_full_ = false;
  Cursor end_;
  Candidates open_;
};

}  // namespace lockkeeper::branches
