// SPDX-License-Identifier: Apache-2.0
//
// A connection that a command asks questions on, one after the other, as plain code: each call
// turns a loop of its own until the answer is there. Never for the daemon, whose loop nothing may
// hold up. Every question has a limit, and none changes anything: the session is made read-only.
#pragma once

#include <string>

#include "awa/gate.hpp"
#include "event/loop.hpp"
#include "leadership/statements.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::commands {

class Inquiry {
 public:
  enum class Server { primary, any };  // of several hosts

  // The name is not the daemon's own: the daemon would take this session for a rival.
  explicit Inquiry(leadership::ElectionSettings settings, std::string name = "lockkeeper check",
                   Server server = Server::primary);

  // Empty when connected, otherwise why not.
  std::string connect();

  // One answer a call; those that did not come say 08006.
  pg::Replies ask(pg::Pipeline pipeline);
  pg::Reply ask(pg::Call call);

  // The session settings and the acting role of the leader. The server's refusal, or empty.
  std::string set_up();

  awa::Examination examine(const awa::SwitchedOff& switched_off);

  const pg::Connection& connection() const { return connection_; }
  const leadership::ElectionSettings& settings() const { return settings_; }

 private:
  leadership::ElectionSettings settings_;
  std::string name_;
  Server server_;
  event::Loop loop_;
  pg::Connection connection_;
};

}  // namespace lockkeeper::commands
