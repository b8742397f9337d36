// SPDX-License-Identifier: Apache-2.0
//
// The course of an election as a value: what may happen in each state and what follows.
//
// step() is pure and total: every pair of state and event has an answer, and an event that
// comes too late for its state changes nothing. election.hpp is the shell that turns replies
// and timers into events and carries out the actions. docs/architecture.md shows this table;
// a test compares the two.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace lockkeeper::leadership {

enum class State {
  stopped,         // nothing is wanted, no connection is open
  waiting,         // the database could not be reached or went away; tried again after a pause
  connecting,      // the leader connection is being opened
  examining,       // is this a server and a schema that we may lead?
  refused,         // it may not be led as it is; looked at again every 5 s
  pooler_refused,  // a pooler stands in between, for good: a session lock means nothing behind it
  asking,          // our question for the lock is on its way
  standby,         // somebody else holds the lock; asked again when the poll is due
  taking_over,     // the backend that holds the lock is being ended
  confirming,      // we hold the lock; the schema is looked at once more before anything is written
  leading,         // we hold the lock and the lanes run
  stepping_down,   // we may not lead any more; the lock is being given back
  making_way,      // somebody else is to lead for a while; the lock is being given back
  aside,           // the lock is left to others until a worker has led, or the time is up
  resigning,       // we were told to stop; the lock is being given back
};

enum class Event {
  started,            // somebody wants us to lead
  connected,          // the leader connection is open
  connect_failed,     // it could not be opened
  retry_due,          // the pause is over
  accepted,           // the examination found nothing against us
  disqualified,       // the examination did
  pooler_found,       // the server's process is not the one that answered the handshake
  poll_due,           // time to ask again
  examination_due,    // time to ask again, and the last examination is old
  release_heard,      // a leader says that it has let go
  granted,            // the lock is ours
  denied,             // somebody else has it
  displaceable,       // somebody else has it, and may be ended
  takeover_answered,  // the holder's backend has been told to end, or could not be
  doubt,              // the leader connection was lost, or may not be trusted any more
  yielded,            // we are told to step aside for a while
  window_over,        // a worker has led, or the time is up
  resigned,           // we are told to stop
  released,           // the server has taken the lock back
};

enum class Action {
  none,
  connect,           // open the leader connection
  retry_later,       // close it and try again after a growing pause
  look_again_later,  // close it and try again in 5 s
  examine,
  ask,  // try the lock, without waiting for it
  poll_later,
  terminate_holder,
  lead,           // hand the leader connection to the lanes
  announce_loss,  // take it from them, close it and try again after a pause
  unlock,         // give the lock back and say so
  watch_later,    // look a little later whether a worker has led
  watch,
  give_up,  // close it and say that a pooler is in the way
  finish,   // close everything and say that it is done
};

struct Step {
  State next;
  Action action;
  friend constexpr bool operator==(const Step&, const Step&) = default;
};

inline constexpr std::array kStates = {State::stopped,    State::waiting, State::connecting,
                                       State::examining,  State::refused, State::pooler_refused,
                                       State::asking,     State::standby, State::taking_over,
                                       State::confirming, State::leading, State::stepping_down,
                                       State::making_way, State::aside,   State::resigning};

inline constexpr std::array kEvents = {
    Event::started,         Event::connected,         Event::connect_failed, Event::retry_due,
    Event::accepted,        Event::disqualified,      Event::pooler_found,   Event::poll_due,
    Event::examination_due, Event::release_heard,     Event::granted,        Event::denied,
    Event::displaceable,    Event::takeover_answered, Event::doubt,          Event::yielded,
    Event::window_over,     Event::resigned,          Event::released};

constexpr Step step(State state, Event event);

// As metrics, logs and the documentation spell them: the enumerator itself.
std::string_view name(State state);
std::string_view name(Event event);
std::string_view name(Action action);

// One sentence for people.
std::string_view sentence(State state);

// The table as markdown: a row for each pair that changes something, then the sentences.
std::string table();

// Whether a session of ours holds the lock.
constexpr bool holds_lock(State state) {
  return state == State::confirming || state == State::leading || state == State::stepping_down ||
         state == State::making_way || state == State::resigning;
}

}  // namespace lockkeeper::leadership

#include "leadership/step.hpp"
