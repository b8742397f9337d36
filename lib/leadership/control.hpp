// SPDX-License-Identifier: Apache-2.0
//
// The control connection: kept open beside the leader connection as long as it is wanted, with
// its own reconnects. It hears that another leader has let go, and pg::Canceller uses it; it
// writes nothing, runs no branch and holds nothing. Loop thread only.
#pragma once

#include <functional>
#include <string>

#include "event/loop.hpp"
#include "leadership/pause.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::leadership {

class Control {
 public:
  struct Callbacks {
    std::function<void()> on_change;         // usable or not any more
    std::function<void()> on_release_heard;  // somebody said so; a hint, no more
  };
  Control(event::Loop& loop, Callbacks callbacks);

  void open(const pg::ConnectSettings& settings);  // does nothing while it is wanted already
  void close();

  // Looks whether somebody else has closed the connection, as the canceller may.
  void look();

  bool is_usable() const {
    return is_ready_ && connection_.state() != pg::Connection::State::closed;
  }
  // Of the server at the other end: with several hosts it might be another than the leader's.
  const std::string& server_start() const { return server_start_; }
  pg::Connection& connection() { return connection_; }

 private:
  void connect();
  void connected();
  void set_up(const pg::Replies& identity);
  void ready(const pg::Replies& replies);
  void lost(const std::string& why);
  bool is_current(int attempt) const { return is_wanted_ && attempt == attempt_; }

  Callbacks callbacks_;
  pg::Connection connection_;
  event::Timer retry_;
  event::Timer look_again_;
  Pause pause_;
  pg::ConnectSettings settings_;
  bool is_wanted_ = false;
  bool is_ready_ = false;
  int attempt_ = 0;
  std::string told_;  // why it was lost, in the log already; empty while all is well
  std::string server_start_;
};

}  // namespace lockkeeper::leadership
