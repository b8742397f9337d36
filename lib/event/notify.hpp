// SPDX-License-Identifier: Apache-2.0
//
// Tells systemd how the service is: READY=1, STATUS=…, WATCHDOG=1, STOPPING=1. One datagram
// to $NOTIFY_SOCKET, never blocking.
#pragma once

#include <optional>
#include <string_view>

#include "time/clock.hpp"

namespace lockkeeper::event {

// False when it was not sent: systemd did not start us, or does not listen or read.
bool notify(std::string_view state);

// How often systemd expects WATCHDOG=1 from this process; empty if it does not.
std::optional<time::Duration> watchdog_interval();

}  // namespace lockkeeper::event
