// SPDX-License-Identifier: Apache-2.0
//
// The question for the lock, again and again, and what is done about whoever holds it.
#include <fmt/format.h>

#include <algorithm>

#include "leadership/election_impl.hpp"
#include "leadership/refusals.hpp"
#include "logging/log.hpp"

namespace lockkeeper::leadership {
namespace {

using namespace std::chrono_literals;

constexpr time::Duration kLookAtHolderEvery = 1s;
// A missing right does not come back sooner, and each try is an error in the server's log.
constexpr time::Duration kTryTakeoverAgain = 5s;
constexpr time::Duration kWatchEvery = 100ms;
constexpr time::Duration kBackendNeedsToEnd = 20ms;
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
  const auto& answer = replies[0].rows;
  const bool is_window_open = answer.is_null(0, 0);  // of another Lockkeeper, for a worker
  if (!is_window_open && answer.boolean(0, 0)) return granted();
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
  if (is_window_open || !may_displace()) return denied();
  happen(Event::displaceable,
         {std::string(name(Event::displaceable)),
          fmt::format("ending {}, which holds the lock", describe(*view.holder))});
}

// With the lock in hand, other daemons may ask again.
void Election::Impl::granted() {
  close_window([this] { happen(Event::granted); });
}

void Election::Impl::close_window(std::function<void()> then) {
  if (!std::exchange(holds_window, false)) return then();
  send({end_window()}, [then = std::move(then)](const pg::Replies&) { then(); });
}

void Election::Impl::denied() { happen(Event::denied, {"lock_held", held_by(view.holder)}); }

bool Election::Impl::may_displace() const {
  const bool is_wanted = settings.takeover == config::Takeover::terminate || is_reclaiming;
  if (!is_wanted || !view.holder) return false;
  if (is_lockkeeper(*view.holder)) return false;
  const bool was_refused = view.holder->pid == undisplaceable_pid;
  return !was_refused || loop.now() - takeover_refused_at >= kTryTakeoverAgain;
}

void Election::Impl::terminate_holder() {
  send({terminate(*view.holder)}, [this](const pg::Replies& replies) { holder_told(replies[0]); });
}

void Election::Impl::holder_told(const pg::Reply& reply) {
  const auto whom = view.holder ? describe(*view.holder) : "the holder of the lock";
  undisplaceable_pid = 0;
  if (reply.state.is_connection_lost()) {
    return happen(Event::doubt, {"connection_lost", "the connection ended: " + reply.message});
  }
  if (!reply.ok()) {
    undisplaceable_pid = view.holder ? view.holder->pid : 0;
    takeover_refused_at = loop.now();
    // Nobody else has to wait for a worker that we cannot end.
    return close_window(
        [this, why = refused_takeover(whom, reply)] { happen(Event::takeover_answered, why); });
  }
  has_just_terminated = !reply.rows.empty() && reply.rows.boolean(0, 0);
  happen(Event::takeover_answered,
         {"takeover", whom + (has_just_terminated ? " was told to end" : " has let go by itself")});
}

// Never longer than the dead-man switch of our own session allows.
void Election::Impl::poll_later(time::Duration longest) {
  longest = std::min(longest, settings.idle_limit / 3);
  if (std::exchange(has_just_terminated, false)) longest = std::min(longest, kBackendNeedsToEnd);
  poll_timer.arm_in(pause.jittered(longest));
}

bool Election::Impl::is_look_due() const {
  return callbacks.look && (!looked_at || loop.now() - *looked_at >= settings.look_every);
}

void Election::Impl::look() {
  looked_at = loop.now();
  is_looking = true;
  callbacks.look(leader, [weak = weak_from_this(), mine = attempt] {
    const auto self = weak.lock();
    if (!self || mine != self->attempt) return;
    self->is_looking = false;
    self->poll();
  });
}

void Election::Impl::watch_later() { poll_timer.arm_in(kWatchEvery); }

void Election::Impl::watch() {
  if (loop.now() >= window_ends) {
    return happen(Event::window_over,
                  {"window_over", "no worker has led in time; the lock is taken back"});
  }
  callbacks.watch(leader, released_at, [weak = weak_from_this(), mine = attempt](bool has_led) {
    const auto self = weak.lock();
    if (!self || mine != self->attempt || self->state != State::aside) return;
    if (!has_led) return self->watch_later();
    self->happen(Event::window_over,
                 {"worker_has_led", "a worker has led; the lock is taken back"});
  });
}

void Election::Impl::poll() {
  if (state == State::aside) return happen(Event::poll_due);
  if (is_look_due()) return look();
  const bool is_old = loop.now() - examined_at >= settings.examine_every;
  happen(is_old ? Event::examination_due : Event::poll_due);
}

void Election::Impl::release_heard() {
  if (state != State::standby || is_looking) return;  // the question follows the look at once
  if (loop.now() - asked_at < kShortestPoll) return poll_timer.arm_in(kShortestPoll);
  happen(Event::release_heard);
}

}  // namespace lockkeeper::leadership
