// SPDX-License-Identifier: Apache-2.0
//
// Inside of Election, for this room only: election.cpp turns events into actions and gives the lock
// back, examining.cpp opens the leader connection and asks whether it may lead, asking.cpp asks for
// the lock, ends its holder and watches who leads while we stand aside.
#pragma once

#include <utility>

#include "leadership/control.hpp"
#include "leadership/election.hpp"
#include "leadership/pause.hpp"
#include "leadership/statements.hpp"
#include "pg/canceller.hpp"

namespace lockkeeper::leadership {

struct Election::Impl : std::enable_shared_from_this<Election::Impl> {
  Impl(event::Loop& on_loop, ElectionSettings with, ElectionCallbacks calling);
  ~Impl() = default;

  // election.cpp
  void happen(Event event, Why why = {});
  void act(Action action, const Why& why);
  void enter(State next, const Why& why);
  void show(const View& changed);
  void log_state();
  void forget_window();
  void close_leader();
  void pause_for(time::Duration pause);
  void finish();
  void hand_over();
  void announce_loss(const std::string& reason);
  void unlock();
  void resign(std::function<void()> on_done);
  void warn_of_waiting();
  void control_changed();
  void post(std::function<void()> callback);  // dies with the election

  // examining.cpp
  pg::ConnectSettings connect_settings() const;
  void connect();
  void examine();
  void identify(const pg::Reply& reply);
  void set_up();
  void ask_gate();
  void judge(const Why& result);

  // asking.cpp
  void ask();
  void answered(const pg::Replies& replies);
  void denied();
  bool may_displace() const;
  void terminate_holder();
  void holder_told(const pg::Reply& reply);
  void poll_later(time::Duration longest);
  void poll();
  bool is_look_due() const;
  void look();
  void watch_later();
  void watch();
  void granted();
  void close_window(std::function<void()> then);
  void release_heard();

  // Sends on the leader connection; an answer that belongs to a connection that has been closed
  // meanwhile never arrives.
  using OnAnswer = std::function<void(const pg::Replies&)>;
  void send(pg::Pipeline pipeline, OnAnswer on_answer);

  event::Loop& loop;
  ElectionSettings settings;
  ElectionCallbacks callbacks;
  State state = State::stopped;
  View view;
  Pause pause;

  pg::Connection leader;
  int attempt = 0;  // of the leader connection; grows with each close
  bool is_set_up = false;
  bool is_lent = false;  // on_lead has been called, on_lost not yet
  std::string server_start;
  Control control;
  pg::Canceller canceller;

  event::Timer retry;
  event::Timer poll_timer;
  event::Timer stop_timer;
  event::Timer warning_timer;
  time::TimePoint asked_at{};
  time::TimePoint examined_at{};
  std::optional<time::TimePoint> holder_seen_at;
  std::optional<time::TimePoint> looked_at;
  bool is_looking = false;
  bool has_just_terminated = false;
  bool is_reclaiming = false;  // this session has lent the lock, and takes it back
  bool holds_window = false;   // and keeps other Lockkeepers from it until then
  time::Duration window{};     // so long we stand aside at most
  time::TimePoint window_ends{};
  std::string released_at;     // by the server's clock
  int undisplaceable_pid = 0;  // the server would not let us end this one at takeover_refused_at
  time::TimePoint takeover_refused_at{};
  std::string last_complaint;
  std::function<void()> on_resigned;
};

}  // namespace lockkeeper::leadership
