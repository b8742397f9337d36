// SPDX-License-Identifier: Apache-2.0
//
// What branch bodies tell the world besides their Outcome, in the words of Awa's metrics.
// Bodies know these facts; only this class knows the metric names. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "metrics/registry.hpp"
#include "time/clock.hpp"

namespace lockkeeper::branches {

// What a queue holds, in the words of awa_queue_depth.
struct QueueDepth {
  std::int64_t available = 0;
  std::int64_t running = 0;
  std::int64_t failed = 0;
  std::int64_t scheduled = 0;
  std::int64_t retryable = 0;
  std::int64_t waiting_external = 0;
  std::optional<double> lag;                 // seconds; empty when nothing waits
  std::optional<std::int64_t> dead_letters;  // empty where there is no place for them
};
using QueueDepths = std::map<std::string, QueueDepth, std::less<>>;  // by queue

// How far the move from one storage to the other is, in the words of awa_storage_state.
struct StorageMove {
  std::string state;
  std::string current_engine;
  std::string active_engine;
  std::string prepared_engine;      // empty for none
  std::int64_t canonical_jobs = 0;  // that have not ended
  std::int64_t live_canonical = 0;  // processes by what they can work with
  std::int64_t live_draining = 0;
  std::int64_t live_queue_storage = 0;
  bool can_enter_mixed_transition = false;
  bool can_finalize = false;
};

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
  // kind: heartbeat, deadline, callback_timeout, or one of them with _duplicate_cancelled.
  void rescued(std::string_view kind, std::int64_t jobs);
  // Jobs of this kind and queue that became dead letters.
  void dead_lettered(std::string_view kind, std::string_view queue, std::string_view reason,
                     std::int64_t jobs);
  // The same of more kinds and queues than are told by name.
  void others_dead_lettered(std::string_view reason, std::int64_t jobs);

  // Dead letters that were deleted; of a queue that keeps them for a time of its own, or of all
  // others.
  void dlq_purged(std::optional<std::string_view> queue, std::int64_t jobs);

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

  // What keeps the oldest slot of a ring: cause is lease, claim, waiting or stuck_lane. One a ring.
  void ring_pinned(std::string_view ring, std::string_view cause, std::string_view queue,
                   time::Duration age);
  void ring_free(std::string_view ring);

  // All queues there are. Whatever was shown of another one is gone.
  void queue_depths(const QueueDepths& depths);

  void storage_move(const StorageMove& move);
  void no_storage_move();

  // Rows left alone because they are bad or contested, counted each time. `which` names one for
  // the log, where it is written once, however often it comes back.
  void skipped_rows(std::string_view reason, std::int64_t rows, std::string_view which);

  void batch_size(std::int64_t rows);                     // as adapted at the moment
  void debt(std::string_view branch, std::int64_t rows);  // known to be waiting for that branch
  void oldest_due(time::Duration age);                    // lockkeeper_oldest_due_job_seconds
  void horizon_age(std::string_view kind, time::Duration age);
  void clock_skew(double seconds);

  // Findings of diagnose; measured() says that one has come to its end, not_measured() that it was
  // given up, and takes back what it had found before.
  void wedged_lanes(std::int64_t lanes);
  void oldest_available(std::string_view plane, time::Duration age);
  void leaked_claims(std::string_view reason, std::int64_t claims);
  void oldest_producer(time::Duration age);
  void horizon_holder(std::string_view kind, std::int64_t pid, std::string_view name,
                      time::Duration age);  // instead of the one before
  void nobody_pins_horizon();
  void measured(std::string_view diagnosis);
  void not_measured(std::string_view diagnosis);

 private:
  bool is_news(std::string row);

  metrics::Registry& registry_;
  std::string_view branch_;
  std::set<std::string> told_;  // rows that are in the log already
  time::TimePoint minute_began_{};
  int lines_ = 0;  // in that minute
};

}  // namespace lockkeeper::branches
