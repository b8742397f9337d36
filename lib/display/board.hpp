// SPDX-License-Identifier: Apache-2.0
//
// What is known about each branch: the facts behind its metrics, /status and /readyz. Lives
// as long as the program, over any number of terms of leadership. Loop thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "branches/branch.hpp"
#include "config/settings.hpp"
#include "metrics/registry.hpp"
#include "scheduling/overrun.hpp"

namespace lockkeeper::display {

// How a pass ended, in the words of lockkeeper_branch_passes_total.
enum class PassResult {
  done,       // rows were moved
  idle,       // there was nothing to do
  skipped,    // not possible at present, for a stated reason
  failed,     // an error; the next interval is the retry
  preempted,  // taken back for the slo lane; runs again with the same due time
};
std::string_view word(PassResult result);
std::string_view word(scheduling::Lane lane);

struct PassFacts {
  PassResult result = PassResult::idle;
  std::int64_t rows = 0;  // moved for its due time, in tries that were taken back as well
  std::string reason;     // of skipped and failed
  time::Duration took{};  // sum of the turns that were not taken back
  bool was_able = true;   // false: skipped for lack of a right, or of the schema
};

// Of a pass that has come to its end with so many rows moved; without how long it took, and what a
// part of it failed with.
PassFacts facts_of(const branches::Outcome& outcome, std::int64_t rows);

struct BranchRecord {
  const branches::Branch* branch;
  config::BranchSettings settings;
  scheduling::Overrun overrun;

  std::optional<PassFacts> last;  // preempted passes excepted
  std::optional<time::Duration> last_lateness;
  std::uint64_t passes = 0;
  std::uint64_t preemptions = 0;
  std::int64_t rows = 0;
  std::string logged_failure;  // written to the log already, at logged_at
  time::TimePoint logged_at{};
};

class Board {
 public:
  Board(metrics::Registry& registry, const config::Settings& settings);

  std::vector<BranchRecord>& records() { return records_; }
  const std::vector<BranchRecord>& records() const { return records_; }
  // The cron schedules of the file; stay where they are until configure().
  const std::vector<config::Declaration>& declared() const { return declared_; }

  // The words of the branches that are switched off.
  std::vector<std::string> switched_off() const;

  // Other settings of the branches, between two terms of leadership.
  void configure(const config::Settings& settings);

  // A new term of leadership: nothing has overrun in it yet.
  void begin_term();
  void missed_ticks(BranchRecord& record, std::uint64_t missed);
  void first_byte_sent(BranchRecord& record, time::Duration lateness);
  void turn_taken(BranchRecord& record);
  void preempted(BranchRecord& record, time::Duration wasted);
  // Whether the acting role has the rights that the branch needs, and the schema is there.
  void set_able(const BranchRecord& record, bool is_able);
  void pass_ended(BranchRecord& record, PassFacts facts, time::TimePoint now);

 private:
  void touch_series(const branches::Branch& branch);
  void forget_series(const branches::Branch& branch);
  void log_failure(BranchRecord& record, const std::string& reason, time::TimePoint now);
  void watch_overrun(BranchRecord& record, time::Duration took);

  metrics::Registry& registry_;
  std::vector<BranchRecord> records_;
  std::vector<config::Declaration> declared_;
};

// The schemas of all branches, for the settings reader.
std::vector<config::BranchSchema> branch_schemas();

}  // namespace lockkeeper::display
