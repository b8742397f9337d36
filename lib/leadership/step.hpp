// SPDX-License-Identifier: Apache-2.0
//
// The answers of step(), a state a function. Included by state.hpp only; state.cpp holds what
// the compiler can prove about them.
#pragma once

#include "leadership/state.hpp"

namespace lockkeeper::leadership {
namespace steps {

constexpr Step step_stopped(Event event) {
  if (event == Event::started) return {State::connecting, Action::connect};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::stopped, Action::none};
}

// Both states have no connection and come back after a pause.
constexpr Step step_pausing(State state, Event event) {
  if (event == Event::retry_due) return {State::connecting, Action::connect};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {state, Action::none};
}

constexpr Step step_connecting(Event event) {
  if (event == Event::connected) return {State::examining, Action::examine};
  const bool has_failed = event == Event::connect_failed || event == Event::doubt;
  if (has_failed) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::connecting, Action::none};
}

constexpr Step step_examining(Event event) {
  if (event == Event::accepted) return {State::asking, Action::ask};
  if (event == Event::disqualified) return {State::refused, Action::look_again_later};
  if (event == Event::pooler_found) return {State::pooler_refused, Action::give_up};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::examining, Action::none};
}

constexpr Step step_asking(Event event) {
  if (event == Event::granted) return {State::confirming, Action::examine};
  if (event == Event::denied) return {State::standby, Action::poll_later};
  if (event == Event::displaceable) return {State::taking_over, Action::terminate_holder};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::asking, Action::none};
}

constexpr Step step_standby(Event event) {
  const bool may_be_free = event == Event::poll_due || event == Event::release_heard;
  if (may_be_free) return {State::asking, Action::ask};
  if (event == Event::examination_due) return {State::examining, Action::examine};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::standby, Action::none};
}

constexpr Step step_taking_over(Event event) {
  if (event == Event::takeover_answered) return {State::standby, Action::poll_later};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::taking_over, Action::none};
}

constexpr Step step_confirming(Event event) {
  if (event == Event::accepted) return {State::leading, Action::lead};
  if (event == Event::disqualified) return {State::refused, Action::look_again_later};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::confirming, Action::none};
}

constexpr Step step_leading(Event event) {
  if (event == Event::disqualified) return {State::stepping_down, Action::unlock};
  if (event == Event::doubt) return {State::waiting, Action::announce_loss};
  if (event == Event::yielded) return {State::making_way, Action::unlock};
  if (event == Event::resigned) return {State::resigning, Action::unlock};
  return {State::leading, Action::none};
}

constexpr Step step_stepping_down(Event event) {
  if (event == Event::released) return {State::refused, Action::look_again_later};
  if (event == Event::doubt) return {State::refused, Action::look_again_later};
  if (event == Event::resigned) return {State::resigning, Action::none};
  return {State::stepping_down, Action::none};
}

constexpr Step step_making_way(Event event) {
  if (event == Event::released) return {State::aside, Action::watch_later};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::resigning, Action::none};
  return {State::making_way, Action::none};
}

constexpr Step step_aside(Event event) {
  if (event == Event::poll_due) return {State::aside, Action::watch};
  if (event == Event::window_over) return {State::asking, Action::ask};
  if (event == Event::doubt) return {State::waiting, Action::retry_later};
  if (event == Event::resigned) return {State::stopped, Action::finish};
  return {State::aside, Action::none};
}

constexpr Step step_resigning(Event event) {
  if (event == Event::released || event == Event::doubt) return {State::stopped, Action::finish};
  return {State::resigning, Action::none};
}

}  // namespace steps

constexpr Step step(State state, Event event) {
  switch (state) {
    case State::stopped:
      return steps::step_stopped(event);
    case State::waiting:
    case State::refused:
      return steps::step_pausing(state, event);
    case State::connecting:
      return steps::step_connecting(event);
    case State::examining:
      return steps::step_examining(event);
    case State::pooler_refused:
      return event == Event::resigned ? Step{State::stopped, Action::finish}
                                      : Step{state, Action::none};
    case State::asking:
      return steps::step_asking(event);
    case State::standby:
      return steps::step_standby(event);
    case State::taking_over:
      return steps::step_taking_over(event);
    case State::confirming:
      return steps::step_confirming(event);
    case State::leading:
      return steps::step_leading(event);
    case State::stepping_down:
      return steps::step_stepping_down(event);
    case State::making_way:
      return steps::step_making_way(event);
    case State::aside:
      return steps::step_aside(event);
    case State::resigning:
      return steps::step_resigning(event);
  }
  return {state, Action::none};
}

}  // namespace lockkeeper::leadership
