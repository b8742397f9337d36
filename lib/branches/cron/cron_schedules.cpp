// SPDX-License-Identifier: Apache-2.0
#include "branches/cron/cron_schedules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace lockkeeper::branches {
namespace {

using std::chrono::microseconds;

// What cron/changed cuts off, and what it writes for a time beyond reason.
constexpr std::int64_t kLongestName = 400;
constexpr auto kLongestExpression = 1000;
constexpr auto kBeyondReason = std::numeric_limits<std::int64_t>::max();

// Far enough: the schedules are looked at each second.
constexpr auto kFarthest = std::chrono::hours(1);

cron::Instant instant(std::int64_t since_1970) { return cron::Instant(microseconds(since_1970)); }

// What is wrong with a row apart from its expression and zone, and what to do; empty if nothing.
std::string fault_of(const ScheduleRow& row) {
  if (row.name_length > kLongestName) {
    return fmt::format("its name has {} characters; give it one of {} at most", row.name_length,
                       kLongestName);
  }
  if (!row.expression) {
    return fmt::format("its cron_expr has more than {} characters; write a shorter one",
                       kLongestExpression);
  }
  if (!row.refused.empty()) return "its " + row.refused;
  if (row.metadata_type != "object") {
    return fmt::format("its metadata is not an object but {}; write an object such as {{}}",
                       row.metadata_type);
  }
  if (row.policy != "coalesce" && row.policy != "catch_up") {
    return fmt::format("its missed_fire_policy is {}; write coalesce or catch_up", row.policy);
  }
  if (row.last == kBeyondReason) {
    return "its last_enqueued_at lies beyond the years 1 to 9999; write NULL or its last fire";
  }
  if (row.created == kBeyondReason) {
    return "its created_at lies beyond the years 1 to 9999; write the time of its creation";
  }
  return "";
}

void read_timetable(Schedule& schedule) {
  schedule.timetable.reset();
  schedule.fault = fault_of(schedule.row);
  if (!schedule.fault.empty()) return;
  try {
    schedule.timetable.emplace(*schedule.row.expression, schedule.row.zone);
  } catch (const cron::ExpressionError& error) {
    schedule.fault = fmt::format("its cron_expr cannot be read: {}", error.what());
  } catch (const cron::ZoneError& error) {
    schedule.fault = error.what();
  }
}

void read_progress(Schedule& schedule) {
  const auto& row = schedule.row;
  schedule.progress.last.reset();
  if (row.last) schedule.progress.last = instant(*row.last);
  schedule.progress.created = instant(row.created);
  schedule.progress.catches_up = row.policy == "catch_up";
}

// A time beyond reason is no part of what the row says, but a fault like any other.
bool has_same_fault(const Schedule& known, const ScheduleRow& row) {
  return fault_of(known.row) == fault_of(row);
}

}  // namespace

ScheduleRow read_schedule(const pg::Rows& rows, std::size_t row) {
  ScheduleRow schedule;
  schedule.id = rows.integer(row, 0);
  schedule.version = rows.integer(row, 1);
  schedule.content = rows.integer(row, 2);
  schedule.name = rows.text(row, 3);
  schedule.name_length = rows.integer(row, 4);
  if (!rows.is_null(row, 5)) schedule.expression = rows.text(row, 5);
  schedule.zone = rows.text(row, 6);
  schedule.queue = rows.text(row, 7);
  schedule.policy = rows.text(row, 8);
  schedule.metadata_type = rows.text(row, 9);
  schedule.is_paused = rows.boolean(row, 10);
  if (!rows.is_null(row, 11)) schedule.last = rows.integer(row, 11);
  schedule.created = rows.integer(row, 12);
  if (!rows.is_null(row, 13)) schedule.refused = rows.text(row, 13);
  return schedule;
}

bool CronSchedules::is_current(std::int64_t schedules, std::int64_t digest) const {
  std::int64_t own = 0;
  for (const auto& [id, schedule] : by_id_) own ^= schedule.row.version;
  return own == digest && static_cast<std::int64_t>(by_id_.size()) == schedules;
}

std::vector<std::int64_t> CronSchedules::versions() const {
  std::vector<std::int64_t> versions;
  versions.reserve(by_id_.size());
  for (const auto& [id, schedule] : by_id_) versions.push_back(schedule.row.version);
  return versions;
}

std::vector<std::int64_t> CronSchedules::ids() const {
  std::vector<std::int64_t> ids;
  ids.reserve(by_id_.size());
  for (const auto& [id, schedule] : by_id_) ids.push_back(id);
  return ids;
}

const Schedule* CronSchedules::put(ScheduleRow row, cron::Instant now) {
  const auto [place, is_new] = by_id_.try_emplace(row.id);
  auto& schedule = place->second;
  const bool says_the_same =
      !is_new && schedule.row.content == row.content && has_same_fault(schedule, row);
  schedule.row = std::move(row);
  if (!says_the_same) {
    read_timetable(schedule);
    schedule.left_alone_until.reset();
  }
  read_progress(schedule);
  plan(schedule, now);
  return says_the_same || schedule.fault.empty() ? nullptr : &schedule;
}

void CronSchedules::forget(std::int64_t id) { by_id_.erase(id); }

std::vector<Schedule*> CronSchedules::due(cron::Instant now, time::TimePoint host_now) {
  std::vector<Schedule*> due;
  for (auto& [id, schedule] : by_id_) {
    if (!schedule.next || *schedule.next > now) continue;
    if (schedule.left_alone_until && *schedule.left_alone_until > host_now) continue;
    due.push_back(&schedule);
  }
  std::sort(due.begin(), due.end(), [](const Schedule* one, const Schedule* other) {
    return std::tie(one->next, one->row.name) < std::tie(other->next, other->row.name);
  });
  return due;
}

std::optional<time::Duration> CronSchedules::next_in(cron::Instant now,
                                                     time::TimePoint host_now) const {
  std::optional<time::Duration> soonest;
  for (const auto& [id, schedule] : by_id_) {
    if (!schedule.next) continue;
    time::Duration in = std::clamp<microseconds>(*schedule.next - now, microseconds(0), kFarthest);
    if (schedule.left_alone_until) in = std::max(in, *schedule.left_alone_until - host_now);
    soonest = std::min(in, soonest.value_or(in));
  }
  return soonest;
}

CronSchedules::Counts CronSchedules::counts() const {
  Counts counts;
  for (const auto& [id, schedule] : by_id_) {
    auto& count = schedule.row.is_paused   ? counts.paused
                  : schedule.fault.empty() ? counts.ready
                                           : counts.bad;
    ++count;
  }
  return counts;
}

void plan(Schedule& schedule, cron::Instant now) {
  schedule.next.reset();
  if (schedule.row.is_paused || !schedule.timetable) return;
  schedule.next = schedule.timetable->due(schedule.progress, now);
  if (!schedule.next) schedule.next = schedule.timetable->upcoming(schedule.progress, now);
}

void has_fired(Schedule& schedule, cron::Instant fire, std::int64_t version, cron::Instant now) {
  schedule.fault.clear();
  schedule.left_alone_until.reset();
  schedule.row.version = version;
  schedule.row.last = fire.time_since_epoch().count();
  schedule.progress.last = fire;
  plan(schedule, now);
}

}  // namespace lockkeeper::branches
