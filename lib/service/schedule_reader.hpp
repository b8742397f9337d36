// SPDX-License-Identifier: Apache-2.0
//
// Reads the cron schedules of a database once, in a session of its own that cannot write.
// Blocking: for commands only.
#pragma once

#include <string>

#include "branches/cron/cron_schedules.hpp"
#include "leadership/election.hpp"

namespace lockkeeper::service {

struct ReadSchedules {
  branches::CronSchedules schedules;
  cron::Instant now;    // as the database says
  std::string failure;  // why they could not be read; empty if they were
};

ReadSchedules read_schedules(const leadership::ElectionSettings& settings);

}  // namespace lockkeeper::service
