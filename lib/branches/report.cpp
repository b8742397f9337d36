// SPDX-License-Identifier: Apache-2.0
#include "branches/report.hpp"

#include <fmt/format.h>

#include "logging/log.hpp"
#include "logging/quote.hpp"
#include "metrics/names.hpp"

namespace lockkeeper::branches {
namespace {

namespace names = metrics::names;

// What a person can still read. Bad rows come back, so the rest is told in a later minute.
constexpr int kLinesAMinute = 200;
// Above this the memory begins anew, and rows may be told twice.
constexpr std::size_t kRowsRemembered = 10'000;

constexpr std::pair<std::string_view, std::string_view> kRescueKinds[] = {
    {"rescue_stale_heartbeats", "heartbeat"},
    {"rescue_expired_deadlines", "deadline"},
    {"rescue_expired_callbacks", "callback_timeout"},
};

// What names a row in the log. What the server says of it may be as long as what it found there.
constexpr std::size_t kLongestRow = 2000;

// A label whose text comes from others.
constexpr std::size_t kLongestLabel = 100;

constexpr std::string_view kDiagnoses[] = {"lanes", "unique_claims", "horizon", "producers",
                                           "canonical"};

// In one line and not too long.
std::string label(std::string_view text) {
  return logging::shortened(logging::printable(text), kLongestLabel);
}

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void touch_series(metrics::Registry& registry, std::string_view branch,
                  std::span<const std::string_view> skips) {
  for (const auto reason : skips) {
    registry.touch(names::kRowsSkipped, {{"branch", branch}, {"reason", reason}});
  }
  if (branch == "promote_scheduled") {
    registry.touch(names::kPromotionLateness, {});
    for (const auto* state : {"scheduled", "retryable"}) {
      registry.touch(names::kAwaPromoteBatches, {{"awa_job_state", state}});
    }
  }
  for (const auto& [name, kind] : kRescueKinds) {
    if (branch == name) registry.touch(names::kAwaRescues, {{"awa_rescue_kind", kind}});
  }
  if (branch == "diagnose") {
    for (const auto diagnosis : kDiagnoses) {
      registry.touch(names::kDiagnosisGivenUp, {{"diagnosis", diagnosis}});
    }
  }
  if (branch == "cleanup") registry.touch(names::kAwaDlqPurged, {});
  if (branch == "cron_eval") registry.touch(names::kCronFireLateness, {});
}

Report::Report(metrics::Registry& registry, std::string_view branch)
    : registry_(registry), branch_(branch) {}

void Report::promoted(std::string_view state, std::int64_t jobs, time::Duration took) {
  const metrics::Labels label = {{"awa_job_state", state}};
  registry_.add(names::kAwaPromoteBatches, label);
  registry_.observe(names::kAwaPromoteBatchSize, label, static_cast<double>(jobs));
  registry_.observe(names::kAwaPromoteDuration, label, time::seconds(took));
}

void Report::promotion_lateness(time::Duration late, std::int64_t jobs) {
  for (std::int64_t job = 0; job < jobs; ++job) {
    registry_.observe(names::kPromotionLateness, {}, time::seconds(late));
  }
}

void Report::rescued(std::string_view kind, std::int64_t jobs) {
  registry_.add(names::kAwaRescues, {{"awa_rescue_kind", kind}}, static_cast<double>(jobs));
}

void Report::dead_lettered(std::string_view kind, std::string_view queue, std::string_view reason,
                           std::int64_t jobs) {
  const metrics::Labels labels = {
      {"awa_job_kind", kind}, {"awa_job_queue", queue}, {"awa_dlq_reason", reason}};
  registry_.add(names::kAwaDeadLettered, labels, static_cast<double>(jobs));
}

void Report::others_dead_lettered(std::string_view reason, std::int64_t jobs) {
  registry_.add(names::kAwaDeadLettered, {{"awa_dlq_reason", reason}}, static_cast<double>(jobs));
}

void Report::dlq_purged(std::optional<std::string_view> queue, std::int64_t jobs) {
  const auto amount = static_cast<double>(jobs);
  if (queue) return registry_.add(names::kAwaDlqPurged, {{"awa_job_queue", *queue}}, amount);
  registry_.add(names::kAwaDlqPurged, {}, amount);
}

void Report::queue_depths(const QueueDepths& depths) {
  for (const auto* gauge : {&names::kAwaQueueDepth, &names::kAwaQueueLag, &names::kAwaDlqDepth}) {
    registry_.forget(*gauge);
  }
  for (const auto& [queue, depth] : depths) {
    const std::pair<std::string_view, std::int64_t> states[] = {
        {"available", depth.available}, {"running", depth.running},
        {"failed", depth.failed},       {"scheduled", depth.scheduled},
        {"retryable", depth.retryable}, {"waiting_external", depth.waiting_external},
    };
    for (const auto& [state, jobs] : states) {
      registry_.set(names::kAwaQueueDepth, {{"awa_job_queue", queue}, {"awa_job_state", state}},
                    static_cast<double>(jobs));
    }
    const metrics::Labels label = {{"awa_job_queue", queue}};
    if (depth.lag) registry_.set(names::kAwaQueueLag, label, *depth.lag);
    if (!depth.dead_letters) continue;
    registry_.set(names::kAwaDlqDepth, label, static_cast<double>(*depth.dead_letters));
  }
}

void Report::storage_move(const StorageMove& move) {
  no_storage_move();
  registry_.set(names::kAwaStorageState,
                {{"awa_storage_state", label(move.state)},
                 {"awa_storage_current_engine", label(move.current_engine)},
                 {"awa_storage_active_engine", label(move.active_engine)},
                 {"awa_storage_prepared_engine", label(move.prepared_engine)}},
                1);
  registry_.set(names::kAwaStorageReady, {{"awa_storage_action", "enter_mixed_transition"}},
                move.can_enter_mixed_transition);
  registry_.set(names::kAwaStorageReady, {{"awa_storage_action", "finalize"}}, move.can_finalize);
  registry_.set(names::kAwaStorageBacklog, {}, static_cast<double>(move.canonical_jobs));
  const std::pair<std::string_view, std::int64_t> live[] = {
      {"canonical", move.live_canonical},
      {"canonical_drain_only", move.live_draining},
      {"queue_storage", move.live_queue_storage},
  };
  for (const auto& [capability, processes] : live) {
    registry_.set(names::kAwaStorageRuntimes, {{"awa_storage_capability", capability}},
                  static_cast<double>(processes));
  }
}

void Report::no_storage_move() {
  for (const auto* gauge : {&names::kAwaStorageState, &names::kAwaStorageReady,
                            &names::kAwaStorageBacklog, &names::kAwaStorageRuntimes}) {
    registry_.forget(*gauge);
  }
}

void Report::fired(time::Duration late) {
  registry_.observe(names::kCronFireLateness, {}, time::seconds(late));
}

void Report::schedules(std::string_view state, std::int64_t count) {
  registry_.set(names::kCronSchedules, {{"state", state}}, static_cast<double>(count));
}

void Report::rotated(std::string_view ring, std::string_view outcome, std::string_view blocker) {
  const metrics::Labels labels = {
      {"awa_ring", ring}, {"awa_ring_outcome", outcome}, {"awa_ring_blocker", blocker}};
  registry_.add(names::kAwaRotateAttempts, labels);
  const bool has_rows = outcome == "skipped_busy" && blocker != "lost_cas";
  if (has_rows) registry_.observe(names::kAwaRotateSkippedRows, labels, 1);
}

void Report::ring_cursor(std::string_view ring, std::int64_t slot, std::int64_t generation) {
  registry_.set(names::kAwaRingCurrentSlot, {{"awa_ring", ring}}, static_cast<double>(slot));
  registry_.set(names::kAwaRingGeneration, {{"awa_ring", ring}}, static_cast<double>(generation));
}

void Report::pruned(std::string_view ring, std::string_view outcome, std::string_view reason,
                    std::int64_t count) {
  const metrics::Labels labels = {
      {"awa_ring", ring}, {"awa_ring_outcome", outcome}, {"awa_ring_reason", reason}};
  registry_.add(names::kAwaPruneAttempts, labels);
  if (outcome == "skipped_active") {
    registry_.observe(names::kAwaPruneSkippedRows, labels, static_cast<double>(count));
  }
}

void Report::skipped_rows(std::string_view reason, std::int64_t rows, std::string_view which) {
  registry_.add(names::kRowsSkipped, {{"branch", branch_}, {"reason", reason}},
                static_cast<double>(rows));
  const auto row = logging::shortened(which, kLongestRow);
  if (!is_news(fmt::format("{} {}", reason, row))) return;
  logging::warn("row skipped", {{"branch", branch_}, {"reason", reason}, {"row", row}});
}

bool Report::is_news(std::string row) {
  const auto now = std::chrono::steady_clock::now();
  if (now - minute_began_ >= std::chrono::minutes(1)) {
    minute_began_ = now;
    lines_ = 0;
  }
  if (told_.count(row) != 0 || lines_ > kLinesAMinute) return false;
  if (++lines_ > kLinesAMinute) {
    logging::warn("more rows are skipped than can be told one by one",
                  {{"branch", branch_}, {"metric", names::kRowsSkipped.name}});
    return false;
  }
  if (told_.size() >= kRowsRemembered) told_.clear();
  told_.insert(std::move(row));
  return true;
}

void Report::batch_size(std::int64_t rows) {
  registry_.set(names::kBatchSize, {{"branch", branch_}}, static_cast<double>(rows));
}

void Report::debt(std::string_view branch, std::int64_t rows) {
  registry_.set(names::kHygieneDebt, {{"branch", branch}}, static_cast<double>(rows));
}

void Report::oldest_due(time::Duration age) {
  registry_.set(names::kOldestDueJob, {}, time::seconds(age));
}

void Report::horizon_age(std::string_view kind, time::Duration age) {
  registry_.set(names::kMvccHorizonAge, {{"kind", kind}}, time::seconds(age));
}

void Report::clock_skew(double seconds) { registry_.set(names::kClockSkew, {}, seconds); }

void Report::ring_pinned(std::string_view ring, std::string_view cause, std::string_view queue,
                         time::Duration age) {
  ring_free(ring);
  registry_.set(names::kRingPinned, {{"ring", ring}, {"cause", cause}, {"queue", label(queue)}},
                time::seconds(age));
}

void Report::ring_free(std::string_view ring) {
  registry_.forget(names::kRingPinned, {{"ring", ring}});
}

void Report::wedged_lanes(std::int64_t lanes) {
  registry_.set(names::kLanesWedged, {}, static_cast<double>(lanes));
}

void Report::oldest_available(std::string_view plane, time::Duration age) {
  registry_.set(names::kOldestAvailableJob, {{"plane", plane}}, time::seconds(age));
}

void Report::leaked_claims(std::string_view reason, std::int64_t claims) {
  registry_.set(names::kUniqueClaimsLeaked, {{"reason", reason}}, static_cast<double>(claims));
}

void Report::oldest_producer(time::Duration age) {
  registry_.set(names::kOldestProducer, {}, time::seconds(age));
}

void Report::horizon_holder(std::string_view kind, std::int64_t pid, std::string_view name,
                            time::Duration age) {
  nobody_pins_horizon();
  registry_.set(names::kHorizonHolder,
                {{"kind", kind}, {"pid", std::to_string(pid)}, {"application_name", label(name)}},
                time::seconds(age));
}

void Report::nobody_pins_horizon() { registry_.forget(names::kHorizonHolder); }

void Report::measured(std::string_view diagnosis) {
  registry_.set(names::kDiagnosisTime, {{"diagnosis", diagnosis}}, unix_time());
}

void Report::not_measured(std::string_view diagnosis) {
  registry_.add(names::kDiagnosisGivenUp, {{"diagnosis", diagnosis}});
  if (diagnosis == "horizon") nobody_pins_horizon();
  if (diagnosis == "producers") registry_.forget(names::kOldestProducer);
  if (diagnosis == "unique_claims") registry_.forget(names::kUniqueClaimsLeaked);
  if (diagnosis == "canonical")
    registry_.forget(names::kOldestAvailableJob, {{"plane", diagnosis}});
  if (diagnosis != "lanes") return;
  registry_.forget(names::kLanesWedged);
  registry_.forget(names::kOldestAvailableJob, {{"plane", "queue_storage"}});
}

}  // namespace lockkeeper::branches
