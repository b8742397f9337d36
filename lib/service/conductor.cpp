// SPDX-License-Identifier: Apache-2.0
#include "service/conductor.hpp"

#include <algorithm>

#include "logging/log.hpp"

namespace lockkeeper::service {
namespace {

using scheduling::Action;
using scheduling::DutyId;

const auto kRollback = std::make_shared<const pg::Statement>(pg::Statement{"", "ROLLBACK"});

// While it stops; the scheduler repeats its own.
const auto kCancelAgain = scheduling::Limits().cancel_repeat;

bool has_cancelled(const pg::Replies& replies) {
  return std::any_of(replies.begin(), replies.end(),
                     [](const pg::Reply& reply) { return reply.state.is_cancelled(); });
}

}  // namespace

Conductor::Conductor(event::Loop& loop, pg::Session& session, Cancel cancel,
                     scheduling::MakePolicy make_policy)
    : loop_(loop),
      session_(session),
      cancel_(std::move(cancel)),
      make_policy_(std::move(make_policy)),
      timer_(loop, [this] { is_stopping_ ? cancel_turn() : pump(); }),
      self_(std::make_shared<Conductor*>(this)) {}

Conductor::~Conductor() = default;

DutyId Conductor::add(scheduling::Duty duty, std::unique_ptr<Performer> performer) {
  const auto id = duties_.size();
  performer->set_duty(id);
  duties_.push_back(std::move(duty));
  performers_.push_back(std::move(performer));
  return id;
}

void Conductor::start() {
  scheduler_ = std::make_unique<scheduling::Scheduler>(duties_, loop_.now(), make_policy_());
  pump();
}

void Conductor::stop(std::function<void()> on_stopped) {
  on_stopped_ = std::move(on_stopped);
  is_stopping_ = true;
  timer_.disarm();
  cancel_turn();
  tell_stopped();
}

// A cancel may come before its statement and do nothing, so it is sent again until the turn has
// ended.
void Conductor::cancel_turn() {
  if (scheduler_->holder() && !is_shielded_) cancel();
}

void Conductor::send(pg::Pipeline pipeline, pg::OnReplies on_replies) {
  if (is_taken_back()) return refuse(pipeline.size(), std::move(on_replies));
  session_.send(std::move(pipeline), [weak = std::weak_ptr(self_),
                                      on_replies = std::move(on_replies)](pg::Replies replies) {
    auto self = weak.lock();
    if (!self) return;
    Conductor& conductor = **self;
    self.reset();
    if (has_cancelled(replies)) {
      conductor.was_cancelled_ = true;
      ++conductor.cancelled_;
    }
    on_replies(std::move(replies));
    if (!weak.expired()) conductor.pump();
  });
}

void Conductor::refuse(std::size_t statements, pg::OnReplies on_replies) {
  was_cancelled_ = true;
  pg::Reply reply;
  reply.state = pg::SqlState("57014");
  reply.message = "the turn was taken back before the statement left";
  loop_.post([weak = std::weak_ptr(self_), on_replies = std::move(on_replies),
              replies = pg::Replies(statements, reply)]() mutable {
    if (weak.expired()) return;
    on_replies(std::move(replies));
    if (const auto self = weak.lock()) (*self)->pump();
  });
}

bool Conductor::shield() {
  is_shielded_ = is_shielded_ || (!is_stopping_ && scheduler_->shield());
  return is_shielded_;
}

bool Conductor::is_taken_back() const {
  return scheduler_->is_taken_back() || (is_stopping_ && !is_shielded_);
}

void Conductor::end_turn(DutyId duty, scheduling::TurnShape next) {
  give_back([this, duty, next] { scheduler_->turn_wanted(duty, next, loop_.now()); });
}

void Conductor::end_pass(DutyId duty, scheduling::PassEnd end) {
  give_back([this, duty, end] { scheduler_->pass_ended(duty, end, loop_.now()); });
}

// A cancel that comes late may hit the ROLLBACK itself, so it is repeated until it has worked.
void Conductor::give_back(std::function<void()> then) {
  if (session_.in_transaction()) {
    pg::Pipeline pipeline;
    pipeline.push_back(pg::Call{kRollback, {}});
    session_.send(std::move(pipeline),
                  [weak = std::weak_ptr(self_), then = std::move(then)](const pg::Replies&) {
                    if (const auto self = weak.lock()) (*self)->give_back(then);
                  });
    return;
  }
  using scheduling::TurnEnd;
  const auto end = was_cancelled_ && is_taken_back() ? TurnEnd::preempted : TurnEnd::completed;
  was_cancelled_ = false;
  is_shielded_ = false;
  scheduler_->turn_ended(end, loop_.now());
  then();
  pump();
}

void Conductor::hasten(DutyId duty) { scheduler_->due_at(duty, loop_.now()); }

void Conductor::pump() {
  if (is_pumping_) return;
  is_pumping_ = true;
  while (!is_stopping_) {
    const auto action = scheduler_->next(loop_.now());
    if (!action) break;
    carry_out(*action);
  }
  is_pumping_ = false;
  if (is_stopping_) return tell_stopped();
  const auto wake_at = scheduler_->wake_at();
  if (wake_at) {
    timer_.arm(*wake_at);
  } else {
    timer_.disarm();
  }
}

// Calls back once no turn is in hand and no cancel on its way.
void Conductor::tell_stopped() {
  if (!on_stopped_ || scheduler_->holder() || is_cancelling_) return;
  loop_.post([weak = std::weak_ptr(self_), callback = std::exchange(on_stopped_, nullptr)] {
    if (!weak.expired()) callback();
  });
}

void Conductor::carry_out(const Action& action) {
  switch (action.kind) {
    case Action::Kind::start_pass:
      return performers_[action.duty]->begin_pass(action);
    case Action::Kind::grant_turn:
      return performers_[action.duty]->resume_pass();
    case Action::Kind::cancel:
      return cancel();
  }
}

void Conductor::cancel() {
  if (is_cancelling_) return;
  is_cancelling_ = true;
  cancel_([weak = std::weak_ptr(self_)](bool answered) {
    const auto self = weak.lock();
    if (!self) return;
    Conductor& conductor = **self;
    conductor.is_cancelling_ = false;
    if (!answered) logging::warn("a cancel was lost; waiting for the statement to end by itself");
    conductor.scheduler_->cancel_answered();
    if (conductor.is_stopping_) conductor.timer_.arm_in(kCancelAgain);
    conductor.pump();
  });
}

}  // namespace lockkeeper::service
