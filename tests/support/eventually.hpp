// SPDX-License-Identifier: Apache-2.0
//
// Waiting for what daemons do: for a condition, with a generous limit, never for a time.
#pragma once

#include <chrono>
#include <functional>

namespace lockkeeper::test {

using namespace std::chrono_literals;

inline constexpr auto kGenerous = 60s;

// Looks every few milliseconds; false when the limit has passed first, and then the ends of the
// daemons' logs are on stderr.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = kGenerous);

}  // namespace lockkeeper::test
