// SPDX-License-Identifier: Apache-2.0
//
// What the rescue of queue-storage attempts is made of: finding them without locks, locking
// what nobody else holds, reading afresh and closing, and giving each a successor.
//
// Lock first, then look again in a statement of its own: an attempt that its worker has finished
// in between shows its end by then, because the key that guards it is free only after that
// was committed. Rescuing from the first look would run a finished job twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "branches/bisection.hpp"
#include "branches/branch.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

using Numbers = std::vector<std::int64_t>;

// A transaction that rescues holds up the workers whose attempts share a batch with it.
inline constexpr time::Duration kRescueTarget = std::chrono::milliseconds(100);

// One kind of evidence that an attempt runs, and its statements.
struct AttemptSource {
  const char* find;
  const char* lock;
  const char* close;
  const char* close_receipts;  // where they are not closed with the rest; otherwise null
  std::string_view error;      // the entry that the attempt's job gets
};

// Attempts as the statements want them: parallel arrays.
struct Candidates {
  Numbers slots;
  Numbers batches;
  Numbers jobs;
  Numbers run_leases;

  std::size_t size() const { return jobs.size(); }
  Candidates part(const Bisection::Range& range) const;
  Candidates at(const Numbers& places) const;  // counted from one
};

struct EndedAttempts {
  Numbers jobs;
  Numbers run_leases;
  Numbers ready_slots;
  Numbers ready_generations;
  Numbers attempted_at;  // microseconds since 1970, below zero for none

  std::size_t size() const { return jobs.size(); }
  // Those whose job is in the list, or those whose job is not.
  EndedAttempts only(const Numbers& chosen, bool is_in) const;
};

// What one pass of a rescue branch does and counts.
struct RescuePass {
  BranchContext& ctx;
  std::string_view kind;  // in the words of awa_maintenance_rescues_total
  time::Duration limit;   // how old is too old
  scheduling::Pace& pace;
  std::int64_t rescued = 0;

  void report(std::int64_t rescued_jobs, std::int64_t cancelled);
  void batch_took(std::int64_t attempts, time::Duration length);
  void left_alone(std::int64_t job, const pg::SqlState& why);
};

// Rescues every attempt of one source, window by window.
Task<bool> rescue_attempts(RescuePass& pass, AttemptSource source);

// Canonical jobs without a heartbeat.
Task<bool> rescue_canonical(RescuePass& pass);

}  // namespace lockkeeper::branches
