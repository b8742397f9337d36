// SPDX-License-Identifier: Apache-2.0
#include "service/gate_performer.hpp"

#include "leadership/election.hpp"
#include "logging/log.hpp"

namespace lockkeeper::service {
namespace {

// A schema that is being made anew is missing for seconds, and everybody waits for it.
constexpr time::Duration kLookAgain = std::chrono::seconds(1);

// Far more often than once a minute all of it is looked at, because a migration may run at any
// time.
constexpr int kGlances = 9;

}  // namespace

GatePerformer::GatePerformer(Conductor& conductor, pg::Session& session, Ground& ground,
                             awa::SwitchedOff switched_off,
                             std::function<void(awa::Examination)> on_disqualified)
    : conductor_(conductor),
      session_(session),
      ground_(ground),
      switched_off_(std::move(switched_off)),
      on_disqualified_(std::move(on_disqualified)) {}

void GatePerformer::begin_pass(const scheduling::Action&) {
  if (glances_left_ == 0 || !ground_.unusable.empty()) return examine();
  --glances_left_;
  glance();
}

void GatePerformer::glance() {
  pg::Pipeline pipeline;
  pipeline.push_back(awa::glance());
  const auto cancelled = conductor_.cancelled();
  if (cancelled != cancelled_) {
    pipeline.push_back(
        awa::give_back_locks({leadership::kMaintenanceLock, leadership::kWindowLock}));
  }
  conductor_.send(std::move(pipeline), [this, cancelled](const pg::Replies& replies) {
    if (replies.size() > 1) told_of_locks(replies[1], cancelled);
    const bool is_clear = replies[0].ok() && replies[0].rows.size() == 1;
    const bool is_taken_back = conductor_.is_taken_back();
    if (!is_taken_back && !(is_clear && awa::is_as_found(replies[0].rows, ground_.found.planes))) {
      return examine();
    }
    scheduling::PassEnd end;
    end.preempted = is_taken_back;
    conductor_.end_pass(duty(), end);
  });
}

// Asked again until there is none: one may have been left twice.
void GatePerformer::told_of_locks(const pg::Reply& reply, std::uint64_t cancelled) {
  if (!reply.ok() || reply.rows.empty()) return;
  const auto locks = reply.rows.integer(0, 0);
  if (locks == 0) {
    cancelled_ = cancelled;
    return;
  }
  logging::warn("a cancelled statement had left locks with our session, and they are given back",
                {{"locks", locks}});
}

void GatePerformer::look_at_all() {
  glances_left_ = 0;
  conductor_.hasten(duty());
}

void GatePerformer::examine() {
  awa::examine(*this, switched_off_,
               [this](awa::Examination examination) { examined(std::move(examination)); });
}

void GatePerformer::send(pg::Pipeline pipeline, pg::OnReplies on_replies) {
  conductor_.send(std::move(pipeline), std::move(on_replies));
}

void GatePerformer::examined(awa::Examination examination) {
  const auto verdict = examination.verdict;
  scheduling::PassEnd end;
  switch (verdict) {
    case awa::Verdict::accepted:
      if (!ground_.unusable.empty()) logging::info("the schema is back; the branches go on");
      // Whoever migrates or switches the storage is seldom done with one step.
      if (ground_.stand_on(std::move(examination))) end.next_due_in = kLookAgain;
      break;
    case awa::Verdict::schema_missing:
      if (ground_.unusable.empty()) {
        logging::warn("the branches wait", {{"reason", examination.sentence}});
      }
      ground_.give_way(examination.sentence);
      end.next_due_in = kLookAgain;
      break;
    case awa::Verdict::wrong_version:
    case awa::Verdict::missing_privilege:
      ground_.give_way(examination.sentence);
      on_disqualified_(std::move(examination));
      break;
    case awa::Verdict::unreadable:
      end.preempted = conductor_.is_taken_back();
      if (!end.preempted && examination.sentence != unreadable_) {
        logging::warn("the storage cannot be looked at", {{"reason", examination.sentence}});
        unreadable_ = examination.sentence;
      }
      break;
  }
  if (verdict != awa::Verdict::unreadable) unreadable_.clear();
  if (!end.preempted) glances_left_ = kGlances;
  conductor_.end_pass(duty(), end);
}

}  // namespace lockkeeper::service
