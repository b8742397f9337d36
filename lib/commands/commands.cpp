// SPDX-License-Identifier: Apache-2.0
#include "commands/commands.hpp"

#include <fmt/format.h>

#include "http/address.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::commands {
namespace {

constexpr auto kFetchLimit = std::chrono::seconds(2);

}  // namespace

void require_database(config::Settings& settings) {
  const auto& database = settings.database;
  if (database.url.empty()) {
    throw config::SettingsError(
        "no database is named: set url in [database], or LOCKKEEPER_DATABASE_URL in the "
        "environment");
  }
  const auto fault = pg::check_url(database.url);
  if (!fault.empty()) {
    throw config::SettingsError(
        fmt::format("{}: the database's url is not usable: {}", database.url_place, fault));
  }
  config::read_password(settings);
}

void require_listen(const config::Settings& settings) {
  if (settings.http.listen.empty()) return;
  try {
    http::parse_address(settings.http.listen);
  } catch (const http::ListenError& error) {
    throw config::SettingsError(fmt::format("{}: {}", settings.http.listen_place, error.what()));
  }
}

http::Fetched ask_daemon(const std::string& listen, const std::string& path) {
  if (listen.empty()) return {0, "", "HTTP is off"};
  auto answer = http::fetch(listen, path, kFetchLimit);
  const bool is_ours =
      answer.body.starts_with("{\"version\":") || answer.body.starts_with("lockkeeper ");
  if (answer.status == 0 || (answer.status == 200 && is_ours)) return answer;
  return {0, "", fmt::format("what answers there is no Lockkeeper: HTTP {}", answer.status)};
}

}  // namespace lockkeeper::commands
