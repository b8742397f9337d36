// SPDX-License-Identifier: Apache-2.0
//
// Parts of the settings as the rooms below want them, which do not know the file. Pure.
#pragma once

#include "config/settings.hpp"
#include "leadership/election.hpp"
#include "logging/log.hpp"

namespace lockkeeper::service {

logging::Level log_level(const config::Settings& settings);
logging::Format log_format(const config::Settings& settings);
leadership::ElectionSettings election_settings(const config::Settings& from);

}  // namespace lockkeeper::service
