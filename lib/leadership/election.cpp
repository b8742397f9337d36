// SPDX-License-Identifier: Apache-2.0
#include "leadership/election.hpp"

#include <fmt/format.h>

#include <utility>

#include "leadership/election_impl.hpp"
#include "leadership/refusals.hpp"
#include "logging/log.hpp"

namespace lockkeeper::leadership {
namespace {

using namespace std::chrono_literals;

constexpr time::Duration kLookAgain = 5s;
constexpr time::Duration kWarnEvery = 1h;

// While a standby asks again, or looks again, it stays a standby for others.
State shown_as(State next, State shown) {
  const bool is_routine = next == State::asking || next == State::examining;
  return is_routine && shown == State::standby ? State::standby : next;
}

bool is_bad_news(State state) {
  return state == State::refused || state == State::pooler_refused || state == State::waiting ||
         state == State::stepping_down;
}

bool is_complaint(const View& view) {
  return is_bad_news(view.state) || view.reason == kTakeoverFailed;
}

logging::Level level_of(const View& view) {
  if (is_complaint(view)) return logging::Level::warn;
  const bool is_news = view.state == State::leading || view.state == State::standby ||
                       view.state == State::taking_over || view.state == State::stopped ||
                       view.state == State::aside;
  return is_news ? logging::Level::info : logging::Level::debug;
}

}  // namespace

Election::Impl::Impl(event::Loop& on_loop, ElectionSettings with, ElectionCallbacks calling)
    : loop(on_loop),
      settings(std::move(with)),
      callbacks(std::move(calling)),
      leader(on_loop),
      control(on_loop, {[this] { control_changed(); }, [this] { release_heard(); }}),
      canceller(on_loop),
      retry(on_loop, [this] { happen(Event::retry_due); }),
      poll_timer(on_loop, [this] { poll(); }),
      stop_timer(on_loop,
                 [this] {
                   happen(Event::doubt, {"stop_limit", "the unlock took too long"});
                 }),
      warning_timer(on_loop, [this] { warn_of_waiting(); }) {
  view.sentence = sentence(State::stopped);
  view.since = loop.now();
}

void Election::Impl::happen(Event event, Why why) {
  const auto to = step(state, event);
  if (to.next == state && to.action == Action::none) return;
  if (why.reason.empty()) why.reason = name(event);
  enter(to.next, why);
  act(to.action, why);
}

void Election::Impl::enter(State next, const Why& why) {
  state = next;
  auto changed = view;
  changed.state = shown_as(next, view.state);
  changed.leader_connected = next != State::stopped && next != State::waiting &&
                             next != State::connecting && next != State::refused &&
                             next != State::pooler_refused;
  if (changed.state == view.state) return show(changed);
  changed.reason = why.reason;
  changed.sentence = why.sentence.empty() ? std::string(sentence(next)) : why.sentence;
  changed.since = loop.now();
  if (next != State::standby && next != State::taking_over && next != State::asking) {
    changed.holder.reset();
  }
  show(changed);
}

// Each change is told by itself, so that nobody who counts them misses one.
void Election::Impl::show(const View& changed) {
  const bool is_new_state = changed.state != view.state;
  const bool is_same = !is_new_state && changed.holder == view.holder &&
                       changed.sentence == view.sentence &&
                       changed.leader_connected == view.leader_connected &&
                       changed.control_connected == view.control_connected;
  if (is_same) return;
  view = changed;
  if (is_new_state) log_state();
  post([this, copy = view] {
    if (callbacks.on_change) callbacks.on_change(copy);
  });
}

// A database that stays away, or a holder that we may not end, is worth one line, not one a try.
void Election::Impl::log_state() {
  if (is_complaint(view)) {
    if (view.sentence == last_complaint) return;
    last_complaint = view.sentence;
  } else if (view.state == State::leading || view.state == State::standby) {
    last_complaint.clear();
  } else if (view.state == State::taking_over && !last_complaint.empty()) {
    return;
  }
  logging::write(level_of(view), view.sentence,
                 {{"leadership", name(view.state)}, {"reason", view.reason}});
}

void Election::Impl::act(Action action, const Why& why) {
  switch (action) {
    case Action::none:
      return;
    case Action::connect:
      return connect();
    case Action::retry_later:
      return pause_for(pause.next());
    case Action::look_again_later:
      return pause_for(kLookAgain);
    case Action::examine:
      return examine();
    case Action::ask:
      return ask();
    case Action::poll_later:
      return poll_later(settings.poll_interval);
    case Action::terminate_holder:
      return terminate_holder();
    case Action::lead:
      return hand_over();
    case Action::announce_loss:
      return announce_loss(why.sentence);
    case Action::unlock:
      return unlock();
    case Action::watch_later:
      return watch_later();
    case Action::watch:
      return watch();
    case Action::give_up:
      close_leader();
      return control.close();
    case Action::finish:
      return finish();
  }
}

// A worker that leads by now may have got the lock in another way than from us.
void Election::Impl::forget_window() {
  const bool is_told = is_reclaiming && settings.takeover == config::Takeover::wait;
  is_reclaiming = holds_window = false;
  if (!is_told || state == State::stopped) return;
  logging::warn(
      "the session has ended while it stood aside; takeover is \"wait\", so a worker that leads "
      "now keeps the lock; \"lockkeeper takeover\" ends it");
}

void Election::Impl::close_leader() {
  ++attempt;
  forget_window();
  is_set_up = false;
  is_lent = false;
  is_looking = false;
  poll_timer.disarm();
  stop_timer.disarm();
  holder_seen_at.reset();
  leader.close();
  canceller.set_control(nullptr);
}

void Election::Impl::pause_for(time::Duration length) {
  close_leader();
  retry.arm_in(length);
}

void Election::Impl::hand_over() {
  pause.reset();
  is_reclaiming = false;
  post([this, since = attempt] {
    if (state != State::leading || since != attempt) return;
    is_lent = true;
    callbacks.on_lead(leader);
  });
}

void Election::Impl::announce_loss(const std::string& reason) {
  const bool was_lent = is_lent;
  pause_for(pause.next());
  if (was_lent) post([this, reason] { callbacks.on_lost(reason); });
}

// An unlock can only be sent when nothing else is under way; closing frees the lock as well.
void Election::Impl::unlock() {
  const bool is_free = leader.state() == pg::Connection::State::idle && !leader.in_transaction();
  if (!is_free) return happen(Event::doubt, {view.reason, view.sentence});
  stop_timer.arm_in(settings.stop_limit);
  const bool is_for_worker = state == State::making_way;
  send(is_for_worker ? make_way() : leadership::unlock(), [this](const pg::Replies& replies) {
    for (const auto& reply : replies) {
      if (!reply.ok()) return happen(Event::doubt, {"unlock_failed", reply.message});
    }
    stop_timer.disarm();
    if (state == State::making_way) {
      is_reclaiming = holds_window = true;
      released_at = replies[1].rows.text(0, 0);
      window_ends = loop.now() + window;
    }
    const bool is_resigning = state == State::resigning;
    happen(Event::released,
           {view.reason, is_resigning ? "the lock was given back" : view.sentence});
  });
}

void Election::Impl::finish() {
  close_leader();
  control.close();
  retry.disarm();
  warning_timer.disarm();
  if (on_resigned) post(std::exchange(on_resigned, nullptr));
}

void Election::Impl::resign(std::function<void()> on_done) {
  on_resigned = std::move(on_done);
  stop_timer.arm_in(settings.stop_limit);
  happen(Event::resigned);
}

void Election::Impl::warn_of_waiting() {
  if (settings.takeover != config::Takeover::wait || settings.is_for_once) return;
  logging::warn(
      "leadership.takeover is \"wait\": after the next restart some worker may lead for good; set "
      "it to \"terminate\", or run \"lockkeeper takeover\" then");
  warning_timer.arm_in(kWarnEvery);
}

void Election::Impl::control_changed() {
  const bool is_usable = control.is_usable();
  const bool is_ours = is_usable && is_set_up && control.server_start() == server_start;
  canceller.set_control(is_ours ? &control.connection() : nullptr);
  auto changed = view;
  changed.control_connected = is_usable;
  show(changed);
}

void Election::Impl::post(std::function<void()> callback) {
  loop.post([weak = weak_from_this(), callback = std::move(callback)] {
    if (const auto self = weak.lock()) callback();
  });
}

Election::Election(event::Loop& loop, ElectionSettings settings, ElectionCallbacks callbacks)
    : impl_(std::make_shared<Impl>(loop, std::move(settings), std::move(callbacks))) {}

Election::~Election() = default;

void Election::start() {
  impl_->warn_of_waiting();
  impl_->happen(Event::started);
}

void Election::resign(std::function<void()> on_done) { impl_->resign(std::move(on_done)); }

void Election::disqualify(Why why) { impl_->happen(Event::disqualified, std::move(why)); }

void Election::step_aside(time::Duration limit, Why why) {
  impl_->window = limit;
  impl_->happen(Event::yielded, std::move(why));
}

void Election::cancel(time::Duration limit, std::function<void(bool answered)> on_answered) {
  impl_->canceller.cancel(
      impl_->leader, limit,
      [impl = impl_.get(), on_answered = std::move(on_answered)](bool answered) {
        impl->control.look();
        on_answered(answered);
      });
}

const View& Election::view() const { return impl_->view; }

}  // namespace lockkeeper::leadership
