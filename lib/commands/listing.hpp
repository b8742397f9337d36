// SPDX-License-Identifier: Apache-2.0
//
// The list of branches that `lockkeeper branches` prints: for machines, which read there what a
// configuration may contain, and for people. Pure.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "display/table.hpp"

namespace lockkeeper::commands {

// Values as the configuration writes them: counts are numbers, durations and words are strings.
std::string branches_as_json(const config::Settings& settings);
std::string branches_as_text(const config::Settings& settings, display::Paint paint);

}  // namespace lockkeeper::commands
