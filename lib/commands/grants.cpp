// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper grants`: for whom, for which branches, and where queue storage is.
#include "awa/grants.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "commands/commands.hpp"
#include "commands/inquiry.hpp"
#include "commands/terminal.hpp"
#include "display/exit_codes.hpp"
#include "pg/target.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::commands {
namespace {

constexpr auto kStandardRole = "lockkeeper";
constexpr auto kStandardSchema = "awa";

// Whom the daemon would act as.
std::string acting_role(const config::Settings& settings) {
  if (!settings.database.role.empty()) return settings.database.role;
  const auto options = pg::parse_url(settings.database.url).options;
  const auto user = options.find("user");
  if (user != options.end() && !user->second.empty()) return user->second;
  const char* variable = std::getenv("PGUSER");
  return variable != nullptr && *variable != '\0' ? variable : kStandardRole;
}

// Where queue storage is, or why that is not known.
struct Found {
  std::optional<std::string> schema;
  std::string why;
};

// As the login alone: the role that it is to act as may not exist yet.
Found look_for_storage(config::Settings& settings) {
  if (settings.database.url.empty()) return {std::nullopt, "no database is named"};
  try {
    require_database(settings);
  } catch (const config::SettingsError& error) {
    return {std::nullopt, error.what()};
  }
  Inquiry inquiry(service::election_settings(settings));
  auto failure = inquiry.connect();
  if (!failure.empty()) return {std::nullopt, std::move(failure)};
  const auto reply = inquiry.ask(awa::glance());
  if (!reply.ok()) return {std::nullopt, reply.message};
  if (reply.rows.is_null(0, 2)) return {std::nullopt, "there is none in the database"};
  return {std::string(reply.rows.text(0, 2)), ""};
}

}  // namespace

int print_grants(config::Settings settings, const std::optional<std::string>& role) {
  awa::GrantsRequest request;
  request.role = role.value_or(acting_role(settings));
  const auto found = look_for_storage(settings);
  request.schema = found.schema.value_or(kStandardSchema);
  request.origin = found.schema ? ", as the database says"
                                : fmt::format(", which is only assumed: {}", found.why);
  request.switched_off = service::switched_off(settings);
  const auto is_on = [&request](const char* branch) {
    return !awa::is_switched_off(request.switched_off, branch);
  };
  request.sees_all = is_on("observe") || is_on("diagnose") || is_on("terminal_count_rollup");
  request.ends_sessions = settings.leadership.takeover == config::Takeover::terminate ||
                          settings.leadership.declaration_window;
  if (!found.schema) {
    complain(display::kDone, fmt::format("schema {} of queue storage is only assumed: {}",
                                         request.schema, found.why));
  }
  print(awa::grants_script(request));
  return display::kDone;
}

}  // namespace lockkeeper::commands
