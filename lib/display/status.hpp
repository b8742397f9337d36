// SPDX-License-Identifier: Apache-2.0
//
// How the daemon is, as one value, and how machines and people read it: the JSON of /status,
// the table of `lockkeeper status`, the reasons of /readyz. Pure; made from memory alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "display/board.hpp"
#include "display/table.hpp"
#include "leadership/election.hpp"
#include "scheduling/scheduler.hpp"

namespace lockkeeper::display {

struct BranchStatus {
  std::string name;
  scheduling::Lane lane = scheduling::Lane::slo;
  bool is_enabled = true;
  time::Duration every{};
  time::Duration late_after{};
  std::optional<time::Duration> next_due_in;  // negative: overdue; empty: not leading
  std::optional<time::Duration> waiting;      // due, or wanting a turn, for so long
  bool is_running = false;
  std::string waiting_for;  // the statement on its way, or ""
  bool is_delayed = false;  // its passes take longer than its interval
  std::optional<time::Duration> last_lateness;
  std::optional<PassFacts> last;
  std::uint64_t passes = 0;
  std::uint64_t preemptions = 0;
  std::int64_t rows = 0;
  std::optional<std::int64_t> debt;  // rows known to wait; empty: nobody has looked

  bool is_late() const { return waiting && *waiting > late_after; }
};

struct RingStatus {
  std::string name;
  std::int64_t slot = 0;
  std::int64_t generation = 0;
};

struct Status {
  std::string version;
  bool is_known = true;  // false: the daemon could not be asked, so nobody knows its state
  leadership::View election;
  std::optional<time::Duration> in_state_for;
  std::string unusable;             // while leading: why no branch can run, or empty
  std::vector<std::string> unable;  // while leading: branches that cannot work, and why
  std::vector<std::string> advice;  // while leading: what does not stop it but should be known
  std::vector<BranchStatus> branches;
  std::vector<RingStatus> rings;      // empty while no ring has been looked at
  std::vector<std::string> findings;  // of diagnose: what only a person can mend
};

// Where HTTP serves each spelling.
inline constexpr auto kJsonStatusPath = "/status";
inline constexpr auto kPlainStatusPath = "/status.txt";
inline constexpr auto kColouredStatusPath = "/status.ansi";

std::string to_json(const Status& status);
std::string to_text(const Status& status, Paint paint);

// Why /readyz says 503, a sentence each; empty when ready.
std::vector<std::string> reasons_not_ready(const Status& status);

}  // namespace lockkeeper::display
