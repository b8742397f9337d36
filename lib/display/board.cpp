// SPDX-License-Identifier: Apache-2.0
#include "display/board.hpp"

#include "branches/catalog.hpp"
#include "logging/log.hpp"
#include "metrics/names.hpp"

namespace lockkeeper::display {
namespace {

namespace names = metrics::names;
using scheduling::Lane;

// A failure that comes back with every pass is written again this often.
constexpr auto kRepeatFailureAfter = std::chrono::minutes(1);

struct ToValue {
  config::Value operator()(std::string_view text) const { return std::string(text); }
  template <typename T>
  config::Value operator()(T value) const {
    return value;
  }
};

config::BranchKey to_key(const branches::Setting& setting) {
  config::BranchKey key;
  key.name = setting.name;
  key.standard = std::visit(ToValue(), setting.standard);
  key.help = setting.help;
  key.words.assign(setting.words.begin(), setting.words.end());
  key.is_per_queue = setting.is_per_queue;
  key.as_in = setting.as_in;
  return key;
}

}  // namespace

std::string_view word(PassResult result) {
  switch (result) {
    case PassResult::done:
      return "done";
    case PassResult::idle:
      return "idle";
    case PassResult::skipped:
      return "skipped";
    case PassResult::failed:
      return "failed";
    case PassResult::preempted:
      return "preempted";
  }
  return "";
}

std::string_view word(Lane lane) { return lane == Lane::slo ? "slo" : "hygiene"; }

PassFacts facts_of(const branches::Outcome& outcome, std::int64_t rows) {
  PassFacts facts;
  facts.rows = rows;
  facts.reason = outcome.skipped;
  facts.result = rows > 0                  ? PassResult::done
                 : outcome.skipped.empty() ? PassResult::idle
                                           : PassResult::skipped;
  return facts;
}

Board::Board(metrics::Registry& registry, const config::Settings& settings)
    : registry_(registry), declared_(settings.cron) {
  for (const auto* branch : branches::catalog()) {
    const auto& own = settings.branches.find(branch->name)->second;
    records_.push_back(
        BranchRecord{branch, own, scheduling::Overrun(own.every), {}, {}, 0, 0, 0, {}, {}});
    if (!own.enabled) continue;
    touch_series(*branch);
  }
}

// An alert on an increase misses the first one of a series that is not there before it.
void Board::touch_series(const branches::Branch& branch) {
  const metrics::Labels label = {{"branch", branch.name}};
  const metrics::Labels labels = {{"branch", branch.name}, {"lane", word(branch.lane)}};
  registry_.touch(names::kBranchStartLateness, labels);
  registry_.touch(names::kBranchMissedTicks, labels);
  registry_.touch(names::kTurns, labels);
  registry_.touch(names::kBranchRows, label);
  registry_.touch(names::kPreemptions, label);
  registry_.touch(names::kPreemptionWasted, label);
  for (const auto result : {PassResult::done, PassResult::idle, PassResult::skipped,
                            PassResult::failed, PassResult::preempted}) {
    registry_.touch(
        names::kBranchPasses,
        {{"branch", branch.name}, {"lane", word(branch.lane)}, {"outcome", word(result)}});
  }
  const metrics::Labels awa = {{"awa_maintenance_branch", branch.name}};
  registry_.touch(names::kAwaBranchDuration, awa);
  registry_.touch(names::kAwaBranchOverrun, awa);
  branches::touch_series(registry_, branch.name, branch.skips);
}

// An alert on what stands still would fire for good.
void Board::forget_series(const branches::Branch& branch) {
  registry_.forget({{"branch", branch.name}});
  registry_.forget({{"awa_maintenance_branch", branch.name}});
}

void Board::configure(const config::Settings& settings) {
  declared_ = settings.cron;
  for (auto& record : records_) {
    record.settings = settings.branches.find(record.branch->name)->second;
    if (record.settings.enabled) {
      touch_series(*record.branch);
    } else {
      forget_series(*record.branch);
    }
  }
}

std::vector<std::string> Board::switched_off() const {
  std::vector<std::string> words;
  for (const auto& record : records_) {
    if (!record.settings.enabled) words.emplace_back(record.branch->name);
  }
  return words;
}

void Board::begin_term() {
  for (auto& record : records_) record.overrun = scheduling::Overrun(record.settings.every);
}

void Board::missed_ticks(BranchRecord& record, std::uint64_t missed) {
  if (missed == 0) return;
  registry_.add(names::kBranchMissedTicks,
                {{"branch", record.branch->name}, {"lane", word(record.branch->lane)}},
                static_cast<double>(missed));
}

void Board::first_byte_sent(BranchRecord& record, time::Duration lateness) {
  record.last_lateness = lateness;
  registry_.observe(names::kBranchStartLateness,
                    {{"branch", record.branch->name}, {"lane", word(record.branch->lane)}},
                    time::seconds(lateness));
}

void Board::turn_taken(BranchRecord& record) {
  registry_.add(names::kTurns,
                {{"branch", record.branch->name}, {"lane", word(record.branch->lane)}});
}

void Board::preempted(BranchRecord& record, time::Duration wasted) {
  ++record.preemptions;
  registry_.add(names::kPreemptions, {{"branch", record.branch->name}});
  registry_.add(names::kPreemptionWasted, {{"branch", record.branch->name}}, time::seconds(wasted));
}

void Board::set_able(const BranchRecord& record, bool is_able) {
  registry_.set(names::kBranchUnable,
                {{"branch", record.branch->name}, {"lane", word(record.branch->lane)}},
                is_able ? 0 : 1);
}

void Board::pass_ended(BranchRecord& record, PassFacts facts, time::TimePoint now) {
  const auto branch = record.branch->name;
  registry_.add(
      names::kBranchPasses,
      {{"branch", branch}, {"lane", word(record.branch->lane)}, {"outcome", word(facts.result)}});
  if (facts.result == PassResult::preempted) return;
  ++record.passes;
  record.rows += facts.rows;
  if (facts.rows > 0) {
    registry_.add(names::kBranchRows, {{"branch", branch}}, static_cast<double>(facts.rows));
  }
  if (facts.result == PassResult::failed) {
    log_failure(record, facts.reason, now);
  } else if (facts.was_able) {
    if (!record.logged_failure.empty()) {
      logging::info("passes of the branch succeed again", {{"branch", branch}});
      record.logged_failure.clear();
    }
    registry_.set(
        names::kBranchLastSuccess, {{"branch", branch}},
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  }
  watch_overrun(record, facts.took);
  record.last = std::move(facts);
}

void Board::log_failure(BranchRecord& record, const std::string& reason, time::TimePoint now) {
  if (record.logged_failure == reason && now - record.logged_at < kRepeatFailureAfter) return;
  record.logged_failure = reason;
  record.logged_at = now;
  logging::warn("a pass of the branch failed; the next one is the retry",
                {{"branch", record.branch->name}, {"reason", reason}});
}

void Board::watch_overrun(BranchRecord& record, time::Duration took) {
  const auto branch = record.branch->name;
  const metrics::Labels label = {{"awa_maintenance_branch", branch}};
  registry_.observe(names::kAwaBranchDuration, label, time::seconds(took));
  const bool was_delayed = record.overrun.is_delayed();
  if (record.overrun.pass_took(took)) registry_.add(names::kAwaBranchOverrun, label);
  if (was_delayed == record.overrun.is_delayed()) return;
  logging::warn(was_delayed ? "the branch keeps its interval again"
                            : "the branch is delayed: its passes take longer than its interval",
                {{"branch", branch},
                 {"took", time::seconds(took)},
                 {"every", time::seconds(record.settings.every)}});
}

std::vector<config::BranchSchema> branch_schemas() {
  std::vector<config::BranchSchema> schemas;
  for (const auto* branch : branches::catalog()) {
    config::BranchSchema schema{std::string(branch->name), branch->every, {}};
    for (const auto& setting : branch->settings) schema.keys.push_back(to_key(setting));
    schemas.push_back(std::move(schema));
  }
  return schemas;
}

}  // namespace lockkeeper::display
