// SPDX-License-Identifier: Apache-2.0
//
// The commands that end by themselves. Each prints for people or as JSON on stdout, says why
// it failed on stderr, and returns the exit code.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace lockkeeper::service {

// Asks the running daemon over HTTP, and the database if there is none.
int print_status(const config::Settings& settings, bool as_json);

// Every branch with lane, interval and settings; those of later versions by name.
int print_branches(const config::Settings& settings, bool as_json);

// Ends the backend that holds the maintenance lock, once.
int take_over(const config::Settings& settings);

}  // namespace lockkeeper::service
