// SPDX-License-Identifier: Apache-2.0
//
// Exit codes of every command.
#pragma once

namespace lockkeeper::display {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;    // it could not be done
inline constexpr int kBadUsage = 2;  // command line or configuration
inline constexpr int kRefused = 3;   // for safety: pooler, replica, schema, privilege

}  // namespace lockkeeper::display
