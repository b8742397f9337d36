// SPDX-License-Identifier: Apache-2.0
#include "branches/report.hpp"

#include <fmt/format.h>

#include "logging/log.hpp"
#include "metrics/names.hpp"

namespace lockkeeper::branches {
namespace {

namespace names = metrics::names;

// What a person can still read. Bad rows come back, so the rest is told in a later minute.
constexpr int kLinesAMinute = 200;
// Above this the memory begins anew, and rows may be told twice.
constexpr std::size_t kRowsRemembered = 10'000;

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
  if (branch == "rescue_stale_heartbeats") {
    registry.touch(names::kAwaRescues, {{"awa_rescue_kind", "heartbeat"}});
  }
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
  if (!is_news(fmt::format("{} {}", reason, which))) return;
  logging::warn("row skipped", {{"branch", branch_}, {"reason", reason}, {"row", which}});
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

}  // namespace lockkeeper::branches
