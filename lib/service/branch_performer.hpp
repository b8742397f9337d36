// SPDX-License-Identifier: Apache-2.0
//
// Runs the body of one branch, pass by pass, in the turns that the conductor grants.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "branches/branch.hpp"
#include "coro/task.hpp"
#include "display/board.hpp"
#include "service/conductor.hpp"
#include "service/ground.hpp"

namespace lockkeeper::service {

class BranchPerformer final : public Performer, public branches::Turn {
 public:
  struct Place {
    event::Loop& loop;
    Conductor& conductor;
    display::Board& board;
    metrics::Registry& registry;
    Ground& ground;
    time::Duration statement_limit;  // of the server, for one statement
  };
  BranchPerformer(Place place, display::BranchRecord& record);

  void begin_pass(const scheduling::Action& action) override;
  void resume_pass() override;

  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override;
  void renew(scheduling::TurnShape shape, std::function<void()> on_granted) override;
  bool shield() override;

  // The statement that is waited for at the moment, or "".
  std::string_view waiting_for() const { return context_.waiting_for(); }

 private:
  bool skip();
  void pass_ended(coro::Completion<branches::Outcome> completion);
  display::PassFacts facts_of(const coro::Completion<branches::Outcome>& completion);
  display::PassFacts failure(const std::exception_ptr& exception);
  bool is_stray_cancel() const;
  time::Duration turn_length() const { return place_.loop.now() - turn_began_; }

  Place place_;
  display::BranchRecord& record_;
  branches::Report report_;
  branches::BranchContext context_;
  std::optional<coro::Running<branches::Outcome>> running_;
  std::function<void()> on_granted_;
  std::optional<time::TimePoint> due_;  // of the pass whose first byte is still to be sent
  bool is_able_ = true;
  time::TimePoint turn_began_{};
  time::TimePoint statement_began_{};
  time::Duration took_{};  // turns of this due time that were not taken back
};

}  // namespace lockkeeper::service
