// SPDX-License-Identifier: Apache-2.0
//
// A question about the maintenance lock, or its end, on a connection of its own. Blocking, for some
// seconds at most.
#pragma once

#include "config/settings.hpp"
#include "leadership/takeover.hpp"

namespace lockkeeper::commands {

leadership::TakeoverResult ask_for_lock(const config::Settings& settings,
                                        leadership::TakeoverOnce::Intent intent);

int exit_code(leadership::TakeoverResult::Outcome outcome);

}  // namespace lockkeeper::commands
