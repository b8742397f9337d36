// SPDX-License-Identifier: Apache-2.0
//
// A simulated session and server for the scheduler, with manual time: random lengths, backlogs,
// preemptions, pieces that cannot be cancelled, cancels that come late or never. What must hold
// is checked against what the simulation knows, never against what the scheduler says.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "scheduling/scheduler.hpp"

namespace lockkeeper::scheduling::test {

using time::Duration;
using time::TimePoint;

inline constexpr TimePoint kStart{std::chrono::seconds(1000)};
inline const Limits kLimits;
inline constexpr Duration kLoopLateness = std::chrono::milliseconds(2);

// A REQUIRE that costs nothing while it holds.
void must(bool holds, const char* what);

// One duty as the simulation knows it.
struct Actor {
  Duty duty;
  Duration longest{};  // of a statement
  Duration commit{};   // cannot be cancelled
  int most_turns = 1;
  int backlog_percent = 0;  // of passes that come again at once
  bool has_heavy_turn = false;

  // Its due times are those of its interval and nothing else.
  bool is_plain() const { return backlog_percent == 0 && duty.minimum_gap.count() == 0; }
  bool wants(TimePoint now) const { return wants_at && *wants_at <= now; }

  double scale = 1;  // of the next statement: preemption halves it, as a batch would be
  TurnShape shape;   // of the next turn
  int turns_left = 0;
  bool is_in_pass = false;
  bool is_repeat = false;              // the next pass answers the same due time as the last
  std::optional<TimePoint> wants_at;   // due, or wanting a further turn, from then on
  std::optional<TimePoint> longs_for;  // the same, but since its last completed turn
  TimePoint started{};                 // the pass
  TimePoint last_due{};                // that a pass answered
  TimePoint progressed{};              // the last completed turn
  std::uint64_t passes = 0;
  std::uint64_t missed = 0;
  int preempted_in_a_row = 0;  // without getting any further
  int turn = 0;                // of the pass
  int preempted_in = 0;        // the turn in which it was last preempted
};

class World {
 public:
  explicit World(std::uint64_t seed);

  // Lives for a few seconds of its own time; a broken promise fails the test.
  void run();

 private:
  // What runs on the session.
  struct Running {
    DutyId duty = 0;
    TimePoint granted{};
    TimePoint statement_ends{};  // by itself
    bool is_committing = false;
    bool is_heavy = false;
    bool is_protected = false;  // by the rules
    bool was_cancelled = false;
    std::optional<TimePoint> cancelled_at;  // the first cancel was sent
    TimePoint cancel_again_at{};            // the last one was of no use by then
  };
  struct Cancel {
    std::optional<TimePoint> arrives;  // at the server; never if lost
    TimePoint answered;
  };

  std::int64_t pick(std::int64_t from, std::int64_t to);
  bool chance(int percent) { return pick(1, 100) <= percent; }
  Duration between(Duration from, Duration to) { return Duration(pick(from.count(), to.count())); }
  void add_slo();
  void add_hygiene();

  void pump();
  void start_pass(const Action& action);
  void grant(DutyId duty);
  void send_cancel(DutyId duty);

  void step();
  void cancel_arrives();
  void statement_ends();
  void end_turn();
  void end_pass(DutyId duty);

  void check_grant(const Actor& actor) const;
  void check_slo_wait() const;
  void check_longing(const Actor& actor) const;
  void check_totals() const;
  std::uint64_t untold(const Actor& actor) const;
  std::optional<TimePoint> oldest_slo() const;

  std::mt19937_64 random_;
  std::vector<Actor> actors_;
  std::optional<Scheduler> scheduler_;
  TimePoint now_{};
  std::optional<Running> running_;
  std::optional<Cancel> cancel_;
  bool is_flooded_ = false;
  int lost_percent_ = 0;
  int late_percent_ = 0;
  bool is_after_heavy_ = false;  // no slo turn since the last heavy piece
  TimePoint hygiene_ended_{};
};

}  // namespace lockkeeper::scheduling::test
