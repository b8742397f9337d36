// SPDX-License-Identifier: Apache-2.0
//
// Why nobody may lead on a session, whatever the schema says: what stands between us and the
// server, the server itself, and the role. Each is a word for metrics and one sentence of the form
// "what is wrong; what to do about it". Pure.
#pragma once

#include "leadership/election.hpp"
#include "leadership/statements.hpp"

namespace lockkeeper::leadership {

// Words that others tell apart.
inline constexpr std::string_view kPooler = "pooler";
inline constexpr std::string_view kServerVersion = "server_version";
inline constexpr std::string_view kTakeoverFailed = "takeover_failed";

// `who` is the answer on this connection. An empty sentence: nothing speaks against it.
Why refusal_of(const Identity& who, const pg::Connection& connection);

// The server did not take one of our session settings, the acting role among them.
Why refused_setting(const ElectionSettings& settings, const std::string& message);

// The holder of the lock was not ended.
Why refused_takeover(const std::string& holder, const pg::Reply& reply);

}  // namespace lockkeeper::leadership
