// SPDX-License-Identifier: Apache-2.0
//
// cron_eval: makes the jobs of cron schedules when their time has come.
//
// People wait for this, so it rides the slo lane, and comes when a schedule fires rather than by
// the clock alone. A pass looks once, without a lock, at the clock of the database and at one
// number for all schedules; only what has changed since the last look is read. Each fire is a
// transaction and a turn of its own: its job and the mark of its schedule stand or fall together,
// and nobody waits for more than one. Schedules take turns, so that a long outage of one that
// catches up delays no other.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <set>

#include "branches/catalog.hpp"
#include "branches/cron/cron_schedules.hpp"
#include "branches/fault.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr std::string_view kStatements[] = {"cron/look", "cron/changed", "cron/gone", "cron/fire",
                                            "lanes/act_as_owner"};

constexpr Setting kSettings[] = {
    {"max_fires", std::int64_t{200}, "fires in a pass; the next one follows at once"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked"};

// A pass does not read without end what somebody changes without end.
constexpr int kMostPages = 100;

// A mark may be from before the calendar; our durations reach 292 years.
constexpr microseconds kLatest = 36'500 * 24h;

// Until a schedule or queue that somebody holds is tried again; and one that the database refused.
constexpr auto kSoon = 1s;
constexpr auto kMuchLater = 10min;

struct Look {
  std::int64_t schedules = 0;
  std::int64_t digest = 0;
  cron::Instant now;
  time::TimePoint host_now;
};

struct CronPass {
  BranchContext& ctx;
  CronSchedules& schedules;
  Look seen;
  Outcome outcome = {};
  std::set<std::string> held_queues = {};  // a producer keeps others from them
};

time::TimePoint host_clock() { return time::SteadyClock().now(); }

Task<Look> look(BranchContext& ctx) {
  const auto rows = co_await ctx.query("cron/look");
  Look seen;
  seen.schedules = rows.integer(0, 0);
  seen.digest = rows.integer(0, 1);
  seen.now = cron::Instant(microseconds(rows.integer(0, 2)));
  seen.host_now = host_clock();
  co_return seen;
}

void report_fault(CronPass& pass, const Schedule& schedule) {
  pass.ctx.report().skipped_rows(
      "bad_row", 1,
      fmt::format("schedule {}: {}", logging::quoted(schedule.row.name), schedule.fault));
}

Task<bool> read_changes(CronPass& pass) {
  for (int page = 0; page < kMostPages; ++page) {
    const auto rows = co_await pass.ctx.query("cron/changed", pass.schedules.versions());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto* bad = pass.schedules.put(read_schedule(rows, row), pass.seen.now);
      if (bad != nullptr) report_fault(pass, *bad);
    }
    if (rows.empty()) break;
    co_await pass.ctx.breathe();
  }
  if (static_cast<std::int64_t>(pass.schedules.size()) == pass.seen.schedules) co_return true;
  const auto gone = co_await pass.ctx.query("cron/gone", pass.schedules.ids());
  for (std::size_t row = 0; row < gone.size(); ++row) pass.schedules.forget(gone.integer(row, 0));
  co_await pass.ctx.breathe();
  co_return true;
}

// For a catch clause. What is the schedule's own fault stops it until its row changes; whatever
// else is in the way is tried again soon.
void put_off(CronPass& pass, Schedule& schedule, const pg::Error& error) {
  if (error.state().is_connection_lost()) throw;
  schedule.left_alone_until = host_clock() + kSoon;
  switch (fault_of(error.state())) {
    case Fault::row:
      schedule.left_alone_until = host_clock() + kMuchLater;
      schedule.fault = fmt::format("its job is refused: {}", error.what());
      return report_fault(pass, schedule);
    case Fault::contention:
      pass.held_queues.insert(schedule.row.queue);
      return pass.ctx.report().skipped_rows(
          "locked", 1,
          fmt::format("schedule {}, queue {}, SQLSTATE {}", logging::quoted(schedule.row.name),
                      logging::quoted(schedule.row.queue), error.state().code()));
    case Fault::plane:
      if (!pass.outcome.failure) pass.outcome.failure = std::current_exception();
      return;
  }
}

// Makes the job of one fire. True if the schedule has another one that is due.
Task<bool> fire(CronPass& pass, Schedule& schedule) {
  const auto due = schedule.timetable->due(schedule.progress, pass.seen.now);
  if (!due) {
    plan(schedule, pass.seen.now);
    co_return false;
  }
  const auto& last = schedule.row.last;
  const pg::Parameter before = last ? pg::Parameter(*last) : pg::Parameter(std::nullopt);
  try {
    auto tx = pass.ctx.begin();
    if (pass.ctx.planes().is_queue_storage_routed()) {
      tx.ahead("lanes/act_as_owner");
      tx.shield();  // cancelled, it would keep the lane's lock
    }
    const auto rows =
        co_await tx.query("cron/fire", schedule.row.name, before, due->time_since_epoch().count());
    if (rows.empty()) {
      schedule.left_alone_until = host_clock() + kSoon;
      co_return false;
    }
    co_await tx.notify_and_commit();
    pass.ctx.moved(1);
    pass.ctx.report().fired(std::min(microseconds(rows.integer(0, 2)), kLatest));
    has_fired(schedule, *due, rows.integer(0, 1), pass.seen.now);
    const auto next = schedule.next;
    co_return next.has_value() && *next <= pass.seen.now;
  } catch (const pg::Error& error) {
    put_off(pass, schedule, error);
  }
  co_return false;
}

// One fire of each schedule, then the next of those that have more.
Task<bool> fire_all(CronPass& pass) {
  const auto due = pass.schedules.due(pass.seen.now, pass.seen.host_now);
  std::deque<Schedule*> waiting(due.begin(), due.end());
  for (auto left = pass.ctx.integer("max_fires"); left > 0 && !waiting.empty(); --left) {
    auto& schedule = *waiting.front();
    waiting.pop_front();
    if (pass.held_queues.count(schedule.row.queue) != 0) {
      schedule.left_alone_until = host_clock() + kSoon;
      continue;
    }
    auto firing = fire(pass, schedule);
    const bool has_more = co_await firing;
    if (has_more) waiting.push_back(&schedule);
    co_await pass.ctx.breathe();
  }
  pass.outcome.backlog = !waiting.empty();
  co_return true;
}

void report_counts(CronPass& pass) {
  const auto counts = pass.schedules.counts();
  pass.ctx.report().schedules("ready", counts.ready);
  pass.ctx.report().schedules("paused", counts.paused);
  pass.ctx.report().schedules("bad", counts.bad);
}

// The host's clock counts from the last word of the database's.
std::optional<time::Duration> next_in(const CronPass& pass) {
  const auto host_now = host_clock();
  const auto since = std::chrono::floor<microseconds>(host_now - pass.seen.host_now);
  return pass.schedules.next_in(pass.seen.now + since, host_now);
}

Task<Outcome> run(BranchContext& ctx) {
  auto looking = look(ctx);
  const auto seen = co_await looking;
  CronPass pass{ctx, ctx.memory<CronSchedules>(), seen};
  if (!pass.schedules.is_current(pass.seen.schedules, pass.seen.digest)) {
    auto reading = read_changes(pass);
    co_await reading;
  }
  auto firing = fire_all(pass);
  co_await firing;
  report_counts(pass);
  pass.outcome.next_due_in = next_in(pass);
  co_return pass.outcome;
}

}  // namespace

const Branch cron_eval{
    .name = "cron_eval",
    .lane = Lane::slo,
    .every = 1s,
    .minimum_gap = 10ms,
    .summary = "makes the jobs of cron schedules when their time has come",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
