// SPDX-License-Identifier: Apache-2.0
//
// Carries out on the leader session what the scheduler decides, for one term of leadership.
//
// The conductor owns the order of turns: it grants them, rolls back what a turn left open,
// cancels the statement of a turn that is taken back, and grants nothing until both the cancel
// and the session have answered. Destroying it abandons every pass where it waits; nothing is
// called back afterwards. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "event/loop.hpp"
#include "pg/session.hpp"
#include "scheduling/policy.hpp"
#include "scheduling/scheduler.hpp"
#include "service/performer.hpp"

namespace lockkeeper::service {

class Conductor {
 public:
  // Cancels what runs on the session; calls back once the server has dealt with it, with false
  // when that will never be known.
  using Cancel = std::function<void(std::function<void(bool answered)> on_answered)>;

  Conductor(event::Loop& loop, pg::Session& session, Cancel cancel,
            scheduling::MakePolicy make_policy = scheduling::two_lanes);
  ~Conductor();
  Conductor(const Conductor&) = delete;
  Conductor& operator=(const Conductor&) = delete;

  // Before start(): takes the performer of one more duty, whose id is the number of calls before.
  scheduling::DutyId add(scheduling::Duty duty, std::unique_ptr<Performer> performer);
  void start();

  // Grants nothing more and cancels the turn in hand, again and again, unless it is committing.
  // Calls back from the loop, once no turn is in hand and no cancel on its way. Asked for once.
  void stop(std::function<void()> on_stopped);

  // For the performer that holds the turn. A turn that has been taken back sends nothing more:
  // its statements are answered with 57014.
  void send(pg::Pipeline pipeline, pg::OnReplies on_replies);
  bool shield();
  bool is_taken_back() const;
  void end_turn(scheduling::DutyId duty, scheduling::TurnShape next);  // then resume_pass()
  void end_pass(scheduling::DutyId duty, scheduling::PassEnd end);

  // Brings a duty forward to now; for a performer in its turn.
  void hasten(scheduling::DutyId duty);

  // How often the server has cancelled what was sent, on whosever word.
  std::uint64_t cancelled() const { return cancelled_; }

  // Null before start().
  const scheduling::Scheduler* scheduler() const { return scheduler_.get(); }

 private:
  void pump();
  void carry_out(const scheduling::Action& action);
  void cancel();
  void cancel_turn();
  void give_back(std::function<void()> then);
  void refuse(std::size_t statements, pg::OnReplies on_replies);
  void tell_stopped();

  event::Loop& loop_;
  pg::Session& session_;
  Cancel cancel_;
  scheduling::MakePolicy make_policy_;
  std::vector<scheduling::Duty> duties_;
  std::vector<std::unique_ptr<Performer>> performers_;
  std::unique_ptr<scheduling::Scheduler> scheduler_;
  event::Timer timer_;
  std::function<void()> on_stopped_;
  bool is_stopping_ = false;
  bool is_pumping_ = false;
  bool is_shielded_ = false;    // the turn in hand may not be cancelled any more
  bool is_cancelling_ = false;  // a cancel has not been answered yet
  bool was_cancelled_ = false;  // the turn in hand has lost a statement to its cancel
  std::uint64_t cancelled_ = 0;
  std::shared_ptr<Conductor*> self_;  // expires with this object; held weakly by callbacks
};

}  // namespace lockkeeper::service
