// SPDX-License-Identifier: Apache-2.0
#include "leadership/state.hpp"

#include <fmt/format.h>

namespace lockkeeper::leadership {
namespace {

template <typename Rule>
constexpr bool everywhere(Rule rule) {
  for (const auto state : kStates) {
    for (const auto event : kEvents) {
      if (!rule(state, event, step(state, event))) return false;
    }
  }
  return true;
}

static_assert(step(State::asking, Event::granted) == Step{State::confirming, Action::examine});
static_assert(step(State::leading, Event::doubt) == Step{State::waiting, Action::announce_loss});

// The lanes start in one place only, after an examination with the lock in hand.
static_assert(everywhere([](State state, Event event, Step to) {
  const bool starts = state == State::confirming && event == Event::accepted;
  return (to.action == Action::lead) == starts;
}));
// Leading ends by losing the session, by unlocking, or not at all.
static_assert(everywhere([](State state, Event, Step to) {
  const bool ends = state == State::leading && to.next != State::leading;
  return !ends || to.action == Action::announce_loss || to.action == Action::unlock;
}));
// The lock is never asked for by a session that has it: it would stack.
static_assert(everywhere([](State state, Event, Step to) {
  return !holds_lock(state) || to.action != Action::ask;
}));
// Somebody who wants us to stop is always heard, at once or after the unlock.
static_assert(everywhere([](State, Event event, Step to) {
  return event != Event::resigned || to.next == State::stopped || to.next == State::resigning;
}));
// Nothing but a new start leaves the stopped state, and a pooler is forgiven by nothing.
static_assert(everywhere([](State state, Event event, Step to) {
  if (state == State::stopped) return to.next == State::stopped || event == Event::started;
  if (state != State::pooler_refused) return true;
  return to.next == state || event == Event::resigned;
}));
// A connection in doubt is not used in the next state.
static_assert(everywhere([](State state, Event event, Step to) {
  if (event != Event::doubt || to.action == Action::none) return true;
  return to.next == State::waiting || to.next == State::refused || to.next == State::stopped ||
         state == to.next;
}));

}  // namespace

std::string_view name(State state) {
  switch (state) {
    case State::stopped:
      return "stopped";
    case State::waiting:
      return "waiting";
    case State::connecting:
      return "connecting";
    case State::examining:
      return "examining";
    case State::refused:
      return "refused";
    case State::pooler_refused:
      return "pooler_refused";
    case State::asking:
      return "asking";
    case State::standby:
      return "standby";
    case State::taking_over:
      return "taking_over";
    case State::confirming:
      return "confirming";
    case State::leading:
      return "leading";
    case State::stepping_down:
      return "stepping_down";
    case State::making_way:
      return "making_way";
    case State::aside:
      return "aside";
    case State::resigning:
      return "resigning";
  }
  return "";
}

std::string_view name(Event event) {
  switch (event) {
    case Event::started:
      return "started";
    case Event::connected:
      return "connected";
    case Event::connect_failed:
      return "connect_failed";
    case Event::retry_due:
      return "retry_due";
    case Event::accepted:
      return "accepted";
    case Event::disqualified:
      return "disqualified";
    case Event::pooler_found:
      return "pooler_found";
    case Event::poll_due:
      return "poll_due";
    case Event::examination_due:
      return "examination_due";
    case Event::release_heard:
      return "release_heard";
    case Event::granted:
      return "granted";
    case Event::denied:
      return "denied";
    case Event::displaceable:
      return "displaceable";
    case Event::takeover_answered:
      return "takeover_answered";
    case Event::doubt:
      return "doubt";
    case Event::yielded:
      return "yielded";
    case Event::window_over:
      return "window_over";
    case Event::resigned:
      return "resigned";
    case Event::released:
      return "released";
  }
  return "";
}

std::string_view name(Action action) {
  switch (action) {
    case Action::none:
      return "none";
    case Action::connect:
      return "connect";
    case Action::retry_later:
      return "retry_later";
    case Action::look_again_later:
      return "look_again_later";
    case Action::examine:
      return "examine";
    case Action::ask:
      return "ask";
    case Action::poll_later:
      return "poll_later";
    case Action::terminate_holder:
      return "terminate_holder";
    case Action::lead:
      return "lead";
    case Action::announce_loss:
      return "announce_loss";
    case Action::unlock:
      return "unlock";
    case Action::watch_later:
      return "watch_later";
    case Action::watch:
      return "watch";
    case Action::give_up:
      return "give_up";
    case Action::finish:
      return "finish";
  }
  return "";
}

std::string_view sentence(State state) {
  switch (state) {
    case State::stopped:
      return "stopped, and no connection is open";
    case State::waiting:
      return "the database could not be reached or went away; it is tried again after a pause";
    case State::connecting:
      return "the leader connection is being opened";
    case State::examining:
      return "server, session and schema are looked at, to see whether this database may be led";
    case State::refused:
      return "the database may not be led as it is; it is looked at again every 5 s";
    case State::pooler_refused:
      return "a connection pooler stands in between, and a session lock means nothing behind it";
    case State::asking:
      return "the question for the lock is on its way";
    case State::standby:
      return "somebody else holds the lock; it is asked for again and again";
    case State::taking_over:
      return "the backend that holds the lock is being ended";
    case State::confirming:
      return "the lock is ours; the schema is looked at once more before anything is written";
    case State::leading:
      return "the lock is ours and the lanes run";
    case State::stepping_down:
      return "the database may not be led any more; the lock is being given back";
    case State::making_way:
      return "somebody else is to lead for a while; the lock is being given back";
    case State::aside:
      return "the lock is left to the workers until one of them has led, or the time is up";
    case State::resigning:
      return "told to stop; the lock is being given back";
  }
  return "";
}

std::string table() {
  std::string text = "| state | event | next state | action |\n| --- | --- | --- | --- |\n";
  for (const auto state : kStates) {
    for (const auto event : kEvents) {
      const auto to = step(state, event);
      if (to == Step{state, Action::none}) continue;
      text += fmt::format("| {} | {} | {} | {} |\n", name(state), name(event), name(to.next),
                          name(to.action));
    }
  }
  text += "\nEvery other pair changes nothing.\n\n| state | what it means |\n| --- | --- |\n";
  for (const auto state : kStates)
    text += fmt::format("| {} | {} |\n", name(state), sentence(state));
  return text;
}

}  // namespace lockkeeper::leadership
