// SPDX-License-Identifier: Apache-2.0
#include "service/settings_parts.hpp"

#include <algorithm>

#include "awa/needs.hpp"

namespace lockkeeper::service {

logging::Level log_level(const config::Settings& settings) {
  return static_cast<logging::Level>(settings.log.level);
}

logging::Format log_format(const config::Settings& settings) {
  return static_cast<logging::Format>(settings.log.format);
}

leadership::ElectionSettings election_settings(const config::Settings& from) {
  leadership::ElectionSettings settings;
  settings.url = from.database.url;
  settings.application_name = from.database.application_name;
  settings.password = from.database.password;
  settings.role = from.database.role;
  settings.poll_interval = from.leadership.poll_interval;
  settings.takeover = from.leadership.takeover;
  settings.idle_limit = from.leadership.idle_limit;
  settings.stop_limit = from.leadership.stop_limit;
  settings.synchronous_commit = from.database.synchronous_commit;
  return settings;
}

time::Duration cancel_limit(const config::Settings& settings) {
  constexpr time::Duration kLongest = std::chrono::seconds(1);
  return std::min(kLongest, settings.leadership.idle_limit / 3);
}

std::vector<std::string> switched_off(const config::Settings& settings) {
  std::vector<std::string> words;
  for (const auto& [branch, own] : settings.branches) {
    if (!own.enabled) words.push_back(branch);
  }
  if (!settings.leadership.declaration_window) words.emplace_back(awa::kWindow);
  return words;
}

}  // namespace lockkeeper::service
