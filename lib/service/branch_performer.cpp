// SPDX-License-Identifier: Apache-2.0
#include "service/branch_performer.hpp"

#include <algorithm>

#include "logging/log.hpp"

namespace lockkeeper::service {
BranchPerformer::BranchPerformer(Place place, display::BranchRecord& record)
    : place_(std::move(place)),
      record_(record),
      report_(place_.registry, record.branch->name),
      context_(*this, place_.ground.library, record.settings.values, record.settings.queues,
               report_) {
  context_.set_planes(place_.ground.found.planes);
  context_.set_declared(place_.board.declared());
}

void BranchPerformer::begin_pass(const scheduling::Action& action) {
  const bool is_repeated = context_.due() == action.due;
  context_.set_due(action.due);
  due_ = is_repeated ? std::nullopt : std::optional(action.due);
  if (!is_repeated) took_ = {};
  turn_began_ = place_.loop.now();
  place_.board.missed_ticks(record_, action.missed);
  place_.board.turn_taken(record_);
  if (skip()) return;
  running_.emplace(record_.branch->run(context_),
                   [this](auto completion) { pass_ended(std::move(completion)); });
  running_->start();
}

// For as long as the ground does not bear this branch.
bool BranchPerformer::skip() {
  const auto& ground = place_.ground;
  const auto unable = ground.found.unable.find(record_.branch->name);
  const bool lacks_right = unable != ground.found.unable.end();
  is_able_ = !lacks_right && ground.unusable.empty();
  if (is_able_) return false;
  coro::Completion<branches::Outcome> idle;
  idle.value = branches::Outcome::skip(lacks_right ? unable->second : ground.unusable);
  pass_ended(std::move(idle));
  return true;
}

void BranchPerformer::resume_pass() {
  turn_began_ = place_.loop.now();
  place_.board.turn_taken(record_);
  std::exchange(on_granted_, nullptr)();
}

void BranchPerformer::send(pg::Pipeline pipeline, pg::OnReplies on_replies) {
  statement_began_ = place_.loop.now();
  place_.conductor.send(std::move(pipeline), std::move(on_replies));
  if (due_) place_.board.first_byte_sent(record_, statement_began_ - *due_);
  due_.reset();
}

void BranchPerformer::renew(scheduling::TurnShape shape, std::function<void()> on_granted) {
  on_granted_ = std::move(on_granted);
  took_ += turn_length();
  place_.conductor.end_turn(duty(), shape);
}

bool BranchPerformer::shield() { return place_.conductor.shield(); }

void BranchPerformer::pass_ended(coro::Completion<branches::Outcome> completion) {
  auto facts = facts_of(completion);
  scheduling::PassEnd end;
  end.preempted = facts.result == display::PassResult::preempted;
  if (end.preempted) {
    place_.board.preempted(record_, turn_length());
  } else {
    took_ += turn_length();
  }
  facts.took = took_;
  if (completion.value) {
    end.next_due_in = completion.value->backlog ? time::Duration(0) : completion.value->next_due_in;
  }
  running_.reset();
  place_.board.pass_ended(record_, facts, place_.loop.now());
  place_.conductor.end_pass(duty(), end);
}

display::PassFacts BranchPerformer::facts_of(
    const coro::Completion<branches::Outcome>& completion) {
  if (completion.failure) return failure(completion.failure);
  const auto& outcome = *completion.value;
  const auto rows = context_.rows_moved();
  auto facts = outcome.failure ? failure(outcome.failure) : display::facts_of(outcome, rows);
  // It has come to its end: what a part of it met was no preemption.
  if (outcome.failure) facts.result = display::PassResult::failed;
  facts.was_able = is_able_;
  return facts;
}

display::PassFacts BranchPerformer::failure(const std::exception_ptr& exception) {
  display::PassFacts facts;
  facts.rows = context_.rows_moved();
  facts.result = display::PassResult::failed;
  try {
    std::rethrow_exception(exception);
  } catch (const pg::Error& error) {
    facts.reason = error.what();
    const bool was_cancelled = error.state().is_cancelled();
    if (was_cancelled && (place_.conductor.is_taken_back() || is_stray_cancel())) {
      facts.result = display::PassResult::preempted;
    }
    if (error.state().is_missing_object() || error.state().is_missing_privilege()) {
      place_.ground.on_changed();
    }
  } catch (const std::exception& error) {
    facts.reason = error.what();
  }
  return facts;
}

// A cancel that was given up as lost may still arrive and hit whatever runs then. The server's
// own time limit looks the same, but never comes early.
bool BranchPerformer::is_stray_cancel() const {
  return place_.loop.now() - statement_began_ < place_.statement_limit;
}

}  // namespace lockkeeper::service
