// SPDX-License-Identifier: Apache-2.0
//
// The SQL that makes the least-privilege role: what the branches need, and nothing else. A script
// of plain statements in one transaction, which may be run again at any time. Pure.
#pragma once

#include <optional>
#include <string>

#include "awa/needs.hpp"

namespace lockkeeper::awa {

struct GrantsRequest {
  std::string role;
  std::string schema;         // of queue storage
  std::string origin;         // how that is known, for a comment
  SwitchedOff switched_off;   // branches that need nothing
  bool sees_all = true;       // somebody wants to see what other roles run
  bool ends_sessions = true;  // somebody wants to end the session of a worker that leads
};

std::string grants_script(const GrantsRequest& request);

}  // namespace lockkeeper::awa
