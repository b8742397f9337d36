// SPDX-License-Identifier: Apache-2.0
//
// What branch bodies tell the world besides their Outcome, in the words of Awa's metrics.
// Bodies know these facts; only this class knows the metric names. Loop thread only.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "metrics/registry.hpp"
#include "time/clock.hpp"

namespace lockkeeper::branches {

// What must be visible as zero before it happens for the first time.
void touch_series(metrics::Registry& registry, std::string_view branch,
                  std::span<const std::string_view> skips);

class Report {
 public:
  Report(metrics::Registry& registry, std::string_view branch);

  // One promotion batch, after its commit; state is scheduled or retryable.
  void promoted(std::string_view state, std::int64_t jobs, time::Duration took);
  // A job became available this long after its run_at; `jobs` jobs shared that lateness.
  void promotion_lateness(time::Duration late, std::int64_t jobs);
  // kind: heartbeat, or heartbeat_duplicate_cancelled.
  void rescued(std::string_view kind, std::int64_t jobs);

  // The job of a fire was made so long after its time.
  void fired(time::Duration late);
  // state: ready, paused or bad.
  void schedules(std::string_view state, std::int64_t count);

  // outcome: rotated, skipped_idle, skipped_busy; blocker: none, lost_cas, or what is in the way.
  void rotated(std::string_view ring, std::string_view outcome, std::string_view blocker);
  void ring_cursor(std::string_view ring, std::int64_t slot, std::int64_t generation);
  // outcome: noop, pruned, blocked, skipped_active; reason: none or a label.
  void pruned(std::string_view ring, std::string_view outcome, std::string_view reason,
              std::int64_t count);

  // Rows left alone because they are bad or contested, counted each time. `which` names one for
  // the log, where it is written once, however often it comes back.
  void skipped_rows(std::string_view reason, std::int64_t rows, std::string_view which);

  void batch_size(std::int64_t rows);                     // as adapted at the moment
  void debt(std::string_view branch, std::int64_t rows);  // known to be waiting for that branch
  void oldest_due(time::Duration age);                    // lockkeeper_oldest_due_job_seconds
  void horizon_age(std::string_view kind, time::Duration age);
  void clock_skew(double seconds);

 private:
  bool is_news(std::string row);

  metrics::Registry& registry_;
  std::string_view branch_;
  std::set<std::string> told_;  // rows that are in the log already
  time::TimePoint minute_began_{};
  int lines_ = 0;  // in that minute
};

}  // namespace lockkeeper::branches
