// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper tick`: one pass of each branch as leader, one after the other, then the lock is given
// back. It never takes the lock from anybody.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace lockkeeper::commands {

struct TickRequest {
  std::vector<std::string> branches;  // by their words; none: all that are switched on
  bool is_rehearsal = false;          // everything is done and rolled back
  bool as_json = false;
};

// Prints how each pass has ended. kFailed when one has failed, or somebody else leads.
int tick(config::Settings settings, const TickRequest& request);

}  // namespace lockkeeper::commands
