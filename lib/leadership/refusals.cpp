// SPDX-License-Identifier: Apache-2.0
#include "leadership/refusals.hpp"

#include <fmt/format.h>

namespace lockkeeper::leadership {
namespace {

constexpr int kOldestServer = 140000;  // idle_session_timeout, multiranges

}  // namespace

Why refusal_of(const Identity& who, const pg::Connection& connection) {
  if (who.backend_pid != connection.backend_pid()) {
    return {
        std::string(kPooler),
        "a connection pooler stands between Lockkeeper and PostgreSQL, and a session lock means "
        "nothing behind it; let database.url name the server itself"};
  }
  if (connection.server_version() < kOldestServer) {
    return {std::string(kServerVersion),
            "this PostgreSQL is older than version 14, which Awa needs; upgrade it"};
  }
  if (who.is_standby) {
    return {"standby_server",
            "this server is a hot standby and takes no writes; let database.url name the primary, "
            "or both servers as host=a,b"};
  }
  if (who.is_read_only) {
    return {"read_only",
            "transactions are read-only here; run ALTER ROLE … or ALTER DATABASE … RESET "
            "default_transaction_read_only, or remove it from database.url"};
  }
  return {};
}

Why refused_setting(const ElectionSettings& settings, const std::string& message) {
  if (settings.role.empty()) {
    return {"session_settings",
            fmt::format("the server refuses our session settings ({}); connect to PostgreSQL 14 or "
                        "newer itself",
                        message)};
  }
  return {"role",
          fmt::format("the session cannot act as database.role ({}); run GRANT \"{}\" TO the login "
                      "in database.url, or leave the key empty",
                      message, settings.role)};
}

Why refused_takeover(const std::string& holder, const pg::Reply& reply) {
  const auto* remedy =
      reply.state.is_missing_privilege() ? kRightToEnd : "it is tried again by itself";
  return {std::string(kTakeoverFailed),
          fmt::format("{} cannot be ended ({}); {}", holder, reply.message, remedy)};
}

}  // namespace lockkeeper::leadership
