// SPDX-License-Identifier: Apache-2.0
//
// The question for the lock, again and again, and what is done about whoever holds it.
#include <fmt/format.h>

#include <algorithm>

#include "leadership/election_impl.hpp"
#include "logging/log.hpp"

namespace lockkeeper::leadership {
namespace {

using namespace std::chrono_literals;

constexpr time::Duration kLookAtHolderEvery = 1s;
constexpr time::Duration kExamineEvery = 60s;
constexpr time::Duration kBackendNeedsToEnd = 20ms;
// A holder that could not be ended is left alone for so long, unless it is another one.
constexpr time::Duration kTakeOverAgain = 5s;
// Anybody may send the hint that makes us ask; a flood of hints must not become one of questions.
constexpr time::Duration kShortestPoll = 10ms;

std::string held_by(const std::optional<Holder>& holder) {
  if (!holder) return "somebody else holds the lock";
  return fmt::format("the lock is held by {}", describe(*holder));
}

}  // namespace

void Election::Impl::ask() {
  poll_timer.disarm();
  asked_at = loop.now();
  pg::Pipeline pipeline{try_lock()};
  const bool is_look_due = !holder_seen_at || asked_at - *holder_seen_at >= kLookAtHolderEvery;
  if (is_look_due) pipeline.push_back(ask_holder());
  send(std::move(pipeline), [this](const pg::Replies& replies) { answered(replies); });
}

void Election::Impl::answered(const pg::Replies& replies) {
  if (!replies[0].ok()) {
    return happen(Event::doubt,
                  {"question_failed", "the lock cannot be asked for: " + replies[0].message});
  }
  if (replies[0].rows.boolean(0, 0)) return happen(Event::granted);
  pause.reset();
  const bool has_looked = replies.size() > 1 && replies[1].ok();
  if (!has_looked) return denied();
  holder_seen_at = asked_at;
  auto changed = view;
  changed.holder = read_holder(replies[1]);
  if (changed.state == State::standby && changed.holder != view.holder) {
    changed.sentence = held_by(changed.holder);
    logging::info(changed.sentence, {{"leadership", name(State::standby)}});
  }
  show(changed);
  if (may_displace()) return happen(Event::displaceable);
  denied();
}

void Election::Impl::denied() { happen(Event::denied, {"lock_held", held_by(view.holder)}); }

bool Election::Impl::may_displace() const {
  if (settings.takeover != config::Takeover::terminate || !view.holder) return false;
  if (view.holder == unending_holder && loop.now() - told_at < kTakeOverAgain) return false;
  return !is_lockkeeper(*view.holder, settings.application_name);
}

void Election::Impl::terminate_holder() {
  send({terminate(*view.holder)}, [this](const pg::Replies& replies) { holder_told(replies[0]); });
}

void Election::Impl::holder_told(const pg::Reply& reply) {
  const auto whom = view.holder ? describe(*view.holder) : "the holder of the lock";
  has_just_terminated = reply.ok() && !reply.rows.empty() && reply.rows.boolean(0, 0);
  told_at = loop.now();
  unending_holder = reply.ok() ? std::nullopt : view.holder;
  GateResult why{"takeover", fmt::format("{} was told to end", whom)};
  if (!reply.ok()) {
    why = {
        kTakeoverFailed,
        fmt::format("{} cannot be ended ({}); run GRANT pg_signal_backend TO the acting role, or "
                    "connect as the workers' role",
                    whom, reply.message)};
  }
  happen(Event::takeover_answered, why);
}

// Never longer than the dead-man switch of our own session allows.
void Election::Impl::poll_later(time::Duration longest) {
  longest = std::min(longest, settings.idle_limit / 3);
  if (std::exchange(has_just_terminated, false)) longest = std::min(longest, kBackendNeedsToEnd);
  poll_timer.arm_in(pause.jittered(longest));
}

void Election::Impl::poll() {
  const bool is_old = loop.now() - examined_at >= kExamineEvery;
  happen(is_old ? Event::examination_due : Event::poll_due);
}

void Election::Impl::release_heard() {
  if (state != State::standby) return;
  if (loop.now() - asked_at < kShortestPoll) return poll_timer.arm_in(kShortestPoll);
  happen(Event::release_heard);
}

}  // namespace lockkeeper::leadership
