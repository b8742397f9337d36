// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper check`: everything that would stop the daemon or hurt it, one fact a line with its
// remedy. It changes nothing, ends soon on any database, and a running daemon does not disturb it.
// What cannot be looked at says so, and the rest goes on.
#pragma once

#include <optional>
#include <string>

#include "commands/facts.hpp"
#include "commands/inquiry.hpp"
#include "config/settings.hpp"

namespace lockkeeper::commands {

struct CheckRequest {
  std::string version;
  bool as_json = false;
  std::string file;                          // that was read; empty for none
  std::optional<config::Settings> settings;  // empty when they could not be read
  std::string fault;                         // and why
};

// Prints the facts and returns the exit code of the gravest.
int check(CheckRequest request);

// check_server.cpp: what stands before the schema. False when nothing more can be asked.
bool look_at_server(Facts& facts, Inquiry& inquiry);
void look_at_session(Facts& facts, Inquiry& inquiry, const std::string& sslmode);
void look_at_lock(Facts& facts, Inquiry& inquiry);

// How the session's line is protected, and what that is worth.
struct Line {
  bool is_on_this_host = false;
  bool is_encrypted = false;
  std::string protocol;  // TLSv1.3
  std::string sslmode;   // as libpq was told
};
Fact tls_fact(const Line& line);

// check_awa.cpp: the schema and the rights on it. The planes, if they are known.
// Branches that are switched off need no rights.
std::optional<awa::Planes> look_at_awa(Facts& facts, Inquiry& inquiry,
                                       const awa::SwitchedOff& switched_off);

// check_health.cpp: what hurts a database that may be led.
void look_at_health(Facts& facts, Inquiry& inquiry, const awa::Planes& planes);

// Its statement's answer, or a fact of that name that says why there is none.
std::optional<pg::Rows> ask(Facts& facts, Inquiry& inquiry, const std::string& name, pg::Call call);

}  // namespace lockkeeper::commands
