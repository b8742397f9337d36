// SPDX-License-Identifier: Apache-2.0
//
// The cron schedules that the configuration declares, before a database has seen them. Pure.
#pragma once

#include "config/settings.hpp"

namespace lockkeeper::service {

// Throws SettingsError, with the place, for an expression or a zone that cannot be read.
void require_schedules(const config::Settings& settings);

}  // namespace lockkeeper::service
