// SPDX-License-Identifier: Apache-2.0
//
// Reads the cron schedules of a database once, in a session of its own that cannot write.
// Blocking: for commands only.
#pragma once

#include <set>
#include <string>

#include "branches/cron/cron_schedules.hpp"
#include "branches/cron/declarations.hpp"
#include "leadership/election.hpp"

namespace lockkeeper::commands {

struct ReadSchedules {
  branches::CronSchedules schedules;
  branches::Declarations declared;  // as they were given
  std::set<std::string> waiting;    // those that are not in the database as they are declared
  cron::Instant now;                // as the database says
  std::string failure;              // why they could not be read; empty if they were
  bool is_refused = false;          // a right, the role or a pooler is why
};

ReadSchedules read_schedules(const leadership::ElectionSettings& settings,
                             branches::Declarations declared);

}  // namespace lockkeeper::commands
