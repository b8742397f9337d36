// SPDX-License-Identifier: Apache-2.0
//
// The daemon: owns everything in order, from the loop to the term of leadership, and shuts it
// down in the opposite order. `lockkeeper run` is one of these.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "display/board.hpp"
#include "display/exit_codes.hpp"
#include "display/status.hpp"
#include "event/loop.hpp"
#include "http/server.hpp"
#include "leadership/election.hpp"
#include "metrics/registry.hpp"
#include "service/control_socket.hpp"
#include "service/pulse.hpp"
#include "service/standby_observer.hpp"
#include "service/term.hpp"
#include "service/window.hpp"

namespace lockkeeper::service {

class Service {
 public:
  // Reads the configuration again; throws config::SettingsError when it cannot be used.
  using Read = std::function<config::Settings()>;

  // Throws http::ListenError if HTTP cannot listen. The policy is that of every term.
  Service(config::Settings settings, std::string version, Read read,
          scheduling::MakePolicy make_policy);
  ~Service();

  // Until SIGTERM, SIGINT or a pooler; returns the exit code.
  int run();

 private:
  std::map<std::string, http::Handler> routes();
  leadership::ElectionCallbacks callbacks();
  void examine(pg::Session& session, std::function<void(leadership::Why)> on_result);
  awa::SwitchedOff switched_off() const;
  void lead(pg::Connection& connection, std::string unusable);
  void disqualify(const awa::Examination& examination);
  void term_ended(Term::Purpose purpose);
  void end_term();
  void look_at(const leadership::View& view);
  void announce_start() const;
  void reload();
  void renew_term();
  std::string step_aside(time::Duration limit, leadership::Why why);
  bool is_window_forbidden() const;
  void stop();
  void resign();
  void finish(int code);
  bool is_progressing() const;
  display::Status status() const;
  display::BranchStatus status_of(const display::BranchRecord& record) const;

  config::Settings settings_;
  std::string version_;
  Read read_;
  scheduling::MakePolicy make_policy_;
  event::Loop loop_;
  metrics::Registry registry_;
  display::Board board_;
  awa::Examination examined_;  // the last one before leading
  leadership::View seen_;      // as logged and exported
  leadership::Election election_;
  StandbyObserver standby_;
  std::optional<Term> term_;
  pg::Connection* leader_ = nullptr;         // lent for the term
  std::optional<config::Settings> renewed_;  // read, and taken when no term runs
  std::optional<http::Server> http_;
  std::optional<ControlSocket> control_;
  Window window_;
  time::Duration window_limit_{};
  leadership::Why window_reason_;
  leadership::Why refusal_;
  Pulse pulse_;
  event::Signal on_terminate_;
  event::Signal on_interrupt_;
  event::Signal on_hangup_;
  event::Deferred refuse_;
  event::Timer stop_alarm_;
  bool is_stopping_ = false;
  int exit_code_ = display::kDone;
};

}  // namespace lockkeeper::service
