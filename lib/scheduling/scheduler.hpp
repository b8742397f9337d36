// SPDX-License-Identifier: Apache-2.0
//
// Decides who may use the one leader session, and when: two timer wheels and a policy, which is
// the turnstile of the two lanes unless somebody brings another one.
//
// Pure. Knows no loop, no clock and no database: every call brings the time, and the answer to
// next() is an action for the caller to carry out. The caller repeats next() until it is empty
// and comes again at wake_at() or when something has happened, whichever is first.
//
// A pass is one run of a branch and takes one or more turns; a turn is one transaction. The
// first turn of a pass is granted at or after its due time; each later one is asked for by
// turn_wanted(). Promises, in the words of docs/architecture.md:
//  - slo before hygiene; within a lane the earliest due first; a continuation is due now;
//  - a hygiene turn is taken back (Action::cancel) when an slo duty falls due and the grace has
//    passed, unless it is shielded or protected; a branch taken back five times in a row, in the
//    same turn of its pass or an earlier one, gets a protected turn of bounded length; so does the
//    longest waiting hygiene turn when hygiene got nothing for 100 ms during an slo backlog;
//  - a hygiene turn starts only if the next slo due time lies beyond its learned length, for at
//    most its patience; one that was taken back before has none;
//  - two heavy pieces follow each other without an slo turn in between only when none has come
//    within the patience of the second;
//  - nothing is granted between Action::cancel and both turn_ended() and cancel_answered();
//  - due times are absolute: no drift; a late duty runs once and its missed ticks are counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "time/clock.hpp"

namespace lockkeeper::scheduling {

enum class Lane { slo, hygiene };

using DutyId = std::size_t;  // index into the vector given to the constructor

struct Duty {
  std::string name;
  Lane lane;
  time::Duration every;          // greater than zero
  time::Duration minimum_gap{};  // between the start of two due-driven passes
};

struct Limits {
  time::Duration grace = std::chrono::milliseconds(1);  // before a hygiene turn is taken back
  time::Duration cancel_repeat =
      std::chrono::milliseconds(2);  // level-triggered: again until it ends
  time::Duration protected_turn = std::chrono::milliseconds(20);
  int preemptions_before_protection = 5;
  time::Duration hygiene_at_least_every = std::chrono::milliseconds(100);
  time::Duration patience = std::chrono::milliseconds(100);  // of an ordinary hygiene turn
  time::Duration heavy_patience = std::chrono::seconds(1);   // of a heavy piece
};

// What a turn is going to be, as far as its body knows before it starts.
struct TurnShape {
  int step = 0;        // learned lengths are kept per duty and step
  bool heavy = false;  // ends in a piece that cannot be taken back, e.g. a TRUNCATE
};

struct Action {
  enum class Kind {
    start_pass,  // grant the first turn of a new pass to `duty`
    grant_turn,  // grant a further turn of the running pass to `duty`
    cancel,      // cancel the statement that runs now
  };
  Kind kind;
  DutyId duty;
  time::TimePoint due;       // start_pass: the due time that it answers
  std::uint64_t missed = 0;  // start_pass: due times swallowed since the last pass
};

enum class TurnEnd {
  completed,
  preempted,  // cancelled, or refused to send more because a cancel was on its way
};

struct PassEnd {
  bool preempted = false;                          // run it again soon, same due time
  std::optional<time::Duration> next_due_in = {};  // due-driven: earlier than the interval says
};

// Facts about one duty, for /status, metrics and the watchdog.
struct DutyView {
  time::TimePoint next_due;
  std::optional<time::TimePoint> waiting_since;  // due and not started, or wanting a turn
  bool is_running = false;                       // a pass is under way
};

class Policy;

class Scheduler {
 public:
  // With two lanes.
  Scheduler(std::vector<Duty> duties, Limits limits, time::TimePoint start);
  Scheduler(std::vector<Duty> duties, time::TimePoint start, std::unique_ptr<Policy> policy);
  ~Scheduler();

  std::optional<Action> next(time::TimePoint now);
  std::optional<time::TimePoint> wake_at() const;

  // The pass of `duty` wants another turn; it holds none at the moment.
  void turn_wanted(DutyId duty, TurnShape shape, time::TimePoint now);

  // From now until the turn ends a cancel is forbidden: COMMIT or TRUNCATE is about to be sent.
  // False when a cancel is already on its way: then it must not be sent.
  bool shield();

  // True from Action::cancel until the turn has ended: send nothing more in this turn.
  bool is_taken_back() const;

  // The session is idle again and outside a transaction.
  void turn_ended(TurnEnd how, time::TimePoint now);
  void cancel_answered();
  void pass_ended(DutyId duty, PassEnd end, time::TimePoint now);

  // Brings the duty's next due time forward (never back), e.g. when a job is due sooner.
  void due_at(DutyId duty, time::TimePoint at);

  DutyView view(DutyId duty) const;
  std::optional<DutyId> holder() const;  // who has the turn
  std::optional<time::TimePoint> turn_started() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockkeeper::scheduling
