// SPDX-License-Identifier: Apache-2.0
#include "display/exhibits.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "branches/catalog.hpp"
#include "logging/log.hpp"
#include "metrics/names.hpp"
#include "time/duration.hpp"

namespace lockkeeper::display {
namespace {

namespace names = metrics::names;
using leadership::State;

std::optional<std::int64_t> whole(std::optional<double> number) {
  if (!number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

// A transaction or a job that is younger is everyday life.
constexpr double kLong = 60;

}  // namespace

void show_build(metrics::Registry& registry, const std::string& version) {
  registry.set(names::kProcessStart, {},
               time::seconds(std::chrono::system_clock::now().time_since_epoch()));
  registry.set(names::kBuildInfo, {{"version", version}, {"compiler", __VERSION__}}, 1);
  registry.touch(names::kDatabaseRoundTrip, {});
}

void show_reload(metrics::Registry& registry, bool was_successful) {
  registry.set(names::kConfigLastReload, {}, was_successful ? 1 : 0);
}

void show_log(metrics::Registry& registry) {
  const auto dropped = static_cast<double>(logging::dropped());
  registry.add(names::kLogLinesDropped, {}, dropped - registry.value(names::kLogLinesDropped, {}));
}

void show_election(metrics::Registry& registry, const leadership::View& view) {
  registry.set(names::kLeader, {}, leadership::holds_lock(view.state) ? 1 : 0);
  for (const auto state : leadership::kStates) {
    registry.set(names::kLeadershipState, {{"state", leadership::name(state)}},
                 state == view.state ? 1 : 0);
  }
  registry.set(names::kDatabaseConnected, {{"connection", "leader"}}, view.leader_connected);
  registry.set(names::kDatabaseConnected, {{"connection", "control"}}, view.control_connected);
  registry.forget(names::kLockHolder);
  if (!view.holder) return;
  registry.set(names::kLockHolder,
               {{"pid", std::to_string(view.holder->pid)},
                {"application_name", view.holder->application_name}},
               1);
}

void forget_sights(metrics::Registry& registry) {
  for (const auto* sight :
       {&names::kOldestDueJob,       &names::kBatchSize,          &names::kHygieneDebt,
        &names::kMvccHorizonAge,     &names::kClockSkew,          &names::kCronSchedules,
        &names::kAwaRingCurrentSlot, &names::kAwaRingGeneration,  &names::kOldestAvailableJob,
        &names::kLanesWedged,        &names::kUniqueClaimsLeaked, &names::kRingPinned,
        &names::kHorizonHolder,      &names::kOldestProducer,     &names::kAwaQueueDepth,
        &names::kAwaQueueLag,        &names::kAwaDlqDepth,        &names::kAwaStorageState,
        &names::kAwaStorageReady,    &names::kAwaStorageBacklog,  &names::kAwaStorageRuntimes,
        &names::kBranchUnable}) {
    registry.forget(*sight);
  }
}

void count_change(metrics::Registry& registry, const leadership::View& view) {
  registry.add(names::kLeadershipChanges,
               {{"to", leadership::name(view.state)}, {"reason", view.reason}});
}

void log_disabled(const Board& board) {
  const auto words = board.switched_off();
  if (words.empty()) return;
  logging::warn("these branches are switched off in the configuration",
                {{"branches", fmt::format("{}", fmt::join(words, ","))}});
}

std::vector<std::string> unsound_settings(const branches::Branch& branch,
                                          const config::BranchSettings& own) {
  std::vector<std::string> sentences;
  for (const auto& setting : branch.settings) {
    if (!own.enabled || setting.harm.empty()) continue;
    const auto value = std::get<time::Duration>(own.values.find(setting.name)->second);
    if (value >= setting.sound_from) continue;
    sentences.push_back(fmt::format("branches.{}.{} is \"{}\": {}; set \"{}\" or more", branch.name,
                                    setting.name, time::format_duration(value), setting.harm,
                                    time::format_duration(setting.sound_from)));
  }
  return sentences;
}

void log_unsound(const Board& board) {
  for (const auto& record : board.records()) {
    for (const auto& each : unsound_settings(*record.branch, record.settings)) logging::warn(each);
  }
}

leadership::Why verdict_of(const awa::Examination& examination) {
  if (examination.verdict == awa::Verdict::accepted) return {};
  return {std::string(awa::name(examination.verdict)), examination.sentence};
}

http::Response readiness(const Status& status) {
  http::Response response;
  for (const auto& reason : reasons_not_ready(status)) response.body += reason + "\n";
  if (response.body.empty()) {
    response.body = "ready\n";
  } else {
    response.status = 503;
  }
  return response;
}

// One line: systemd takes the rest for further assignments.
std::string systemd_status(const leadership::View& view) {
  auto text = fmt::format("STATUS={}", leadership::name(view.state));
  if (!view.sentence.empty()) text += ": " + view.sentence;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

BranchStatus record_status(const BranchRecord& record, const metrics::Registry& registry) {
  BranchStatus status;
  status.name = record.branch->name;
  status.lane = record.branch->lane;
  status.is_enabled = record.settings.enabled;
  status.every = record.settings.every;
  status.late_after = record.settings.late_after;
  status.is_delayed = record.overrun.is_delayed();
  status.last_lateness = record.last_lateness;
  status.last = record.last;
  status.passes = record.passes;
  status.preemptions = record.preemptions;
  status.rows = record.rows;
  status.debt = whole(registry.find(names::kHygieneDebt, {{"branch", status.name}}));
  return status;
}

std::vector<RingStatus> rings_of(const metrics::Registry& registry) {
  std::vector<RingStatus> rings;
  for (const auto* ring : {"queue", "lease", "claim"}) {
    const auto slot = whole(registry.find(names::kAwaRingCurrentSlot, {{"awa_ring", ring}}));
    const auto generation = whole(registry.find(names::kAwaRingGeneration, {{"awa_ring", ring}}));
    if (slot && generation) rings.push_back({ring, *slot, *generation});
  }
  return rings;
}

std::vector<std::string> findings_of(const metrics::Registry& registry) {
  std::vector<std::string> findings;
  if (const auto lanes = registry.value(names::kLanesWedged, {}); lanes > 0) {
    findings.push_back(fmt::format("lanes that yield no jobs any more: {:.0f}", lanes));
  }
  const auto claims = registry.value(names::kUniqueClaimsLeaked, {{"reason", "job_gone"}}) +
                      registry.value(names::kUniqueClaimsLeaked, {{"reason", "state"}});
  if (claims > 0) {
    findings.push_back(fmt::format("unique claims that no job stands behind: {:.0f}", claims));
  }
  if (const auto age = registry.value(names::kOldestProducer, {}); age >= kLong) {
    findings.push_back(
        fmt::format("a transaction has written jobs and not committed for {:.0f}s", age));
  }
  for (const auto* plane : {"queue_storage", "canonical"}) {
    const auto age = registry.value(names::kOldestAvailableJob, {{"plane", plane}});
    if (age < kLong) continue;
    findings.push_back(
        fmt::format("a job of {} could be claimed and has waited for {:.0f}s", plane, age));
  }
  return findings;
}

}  // namespace lockkeeper::display
