// SPDX-License-Identifier: Apache-2.0
//
// Parts of the settings as the rooms below want them, which do not know the file. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"
#include "leadership/election.hpp"
#include "logging/log.hpp"

namespace lockkeeper::service {

logging::Level log_level(const config::Settings& settings);
logging::Format log_format(const config::Settings& settings);
leadership::ElectionSettings election_settings(const config::Settings& from);

// How long a cancel may take before it counts as lost. Nothing else is said meanwhile, so it has to
// be less than the server bears in silence.
time::Duration cancel_limit(const config::Settings& settings);

// What needs no rights: branches that are switched off, and the declaration window if it is.
std::vector<std::string> switched_off(const config::Settings& settings);

}  // namespace lockkeeper::service
