// SPDX-License-Identifier: Apache-2.0
#include "commands/check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "branches/catalog.hpp"
#include "commands/commands.hpp"
#include "commands/terminal.hpp"
#include "display/exhibits.hpp"
#include "display/status.hpp"
#include "http/listener.hpp"
#include "pg/target.hpp"
#include "service/control_socket.hpp"
#include "service/service.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::commands {
namespace {

void look_at_duties(Facts& facts, const config::Settings& settings) {
  std::vector<std::string_view> disabled;
  for (const auto* branch : branches::catalog()) {
    const auto found = settings.branches.find(branch->name);
    if (found != settings.branches.end() && !found->second.enabled)
      disabled.push_back(branch->name);
  }
  if (disabled.empty()) {
    return facts.add(Mark::ok, "duties", "every duty of an Awa leader is done");
  }
  facts.add(Mark::warning, "duties",
            fmt::format("switched off in the configuration: {}", fmt::join(disabled, ", ")),
            "set enabled = true, or know that nobody does it");
}

void look_at_settings(Facts& facts, const config::Settings& settings) {
  for (const auto* branch : branches::catalog()) {
    const auto found = settings.branches.find(branch->name);
    if (found == settings.branches.end()) continue;
    for (const auto& each : display::unsound_settings(*branch, found->second)) {
      facts.add_sentence(Mark::warning, "settings", each);
    }
  }
}

// The folder that the unit names in RuntimeDirectory is there only while the service runs. True if
// that was told.
bool tell_folder_to_come(Facts& facts, const char* name, const std::string& shown,
                         const http::Address& address) {
  std::error_code ignored;
  if (!address.path.starts_with("/run/lockkeeper/") ||
      std::filesystem::exists(std::filesystem::path(address.path).parent_path(), ignored)) {
    return false;
  }
  facts.add(Mark::ok, name, shown + " has no folder yet",
            "systemd makes it when the service starts");
  return true;
}

// Who may not write in the folder does not know what the daemon may. True if that was told.
bool tell_denied(Facts& facts, const char* name, const std::string& shown,
                 const http::Address& address) {
  const auto folder = std::filesystem::path(address.path).parent_path();
  if (folder.empty() || ::access(folder.c_str(), W_OK | X_OK) == 0 || errno != EACCES) return false;
  facts.add(Mark::unknown, name,
            shown + " cannot be judged by this user, who may not write in its folder",
            "run check as root or as the daemon's user");
  return true;
}

// What run would refuse, with its place in the file.
void tell_refused(Facts& facts, const char* name, const std::string& place, const char* what) {
  facts.add_sentence(Mark::misconfigured, name, place.empty() ? what : place + ": " + what);
}

void tell_silence(Facts& facts, const char* name, const std::string& shown) {
  facts.add(Mark::misconfigured, name, shown + " is taken by something that does not answer",
            "if that is a Lockkeeper, it hangs: restart it; otherwise choose another one");
}

void look_at_free_address(Facts& facts, const config::Settings& settings) {
  const auto& listen = settings.http.listen;
  const auto address = http::parse_address(listen);
  if (tell_folder_to_come(facts, "http", listen, address)) return;
  if (tell_denied(facts, "http", listen, address)) return;
  if (http::try_listen(address)) return facts.add(Mark::ok, "http", listen + " is free");
  facts.add(Mark::warning, "http",
            listen + " is free, and reached from other hosts without a password",
            "listen on 127.0.0.1 or a unix socket, or put something in front of it");
}

void look_at_http(Facts& facts, const config::Settings& settings) {
  const auto& listen = settings.http.listen;
  if (listen.empty()) return facts.add(Mark::ok, "http", "off: no metrics, no health");
  try {
    require_listen(settings);
    const auto answer = ask_daemon(listen, display::kJsonStatusPath);
    if (answer.status == 200) {
      return facts.add(Mark::ok, "http", listen + " is served by a running Lockkeeper");
    }
    if (answer.failure == http::kNoAnswer) return tell_silence(facts, "http", listen);
    look_at_free_address(facts, settings);
  } catch (const http::ListenError& error) {
    tell_refused(facts, "http", settings.http.listen_place, error.what());
  } catch (const std::exception& error) {
    facts.add_sentence(Mark::misconfigured, "http", error.what());
  }
}

void look_at_control(Facts& facts, const config::Settings& settings) {
  const auto& path = settings.control.socket;
  if (path.empty()) return facts.add(Mark::ok, "control", "off: lockkeeper yield has no way in");
  const http::Address address{path, {}, 0};
  if (tell_folder_to_come(facts, "control", path, address)) return;
  const auto heard = service::listen_at(path);
  if (heard == service::Heard::daemon) {
    return facts.add(Mark::ok, "control", path + " is served by a running Lockkeeper");
  }
  if (heard == service::Heard::silence) return tell_silence(facts, "control", path);
  if (tell_denied(facts, "control", path, address)) return;
  try {
    http::try_listen(address, service::kForOwner);
    facts.add(Mark::ok, "control", path + " is free");
  } catch (const http::ListenError& error) {
    tell_refused(facts, "control", settings.control.socket_place, error.what());
  }
}

// What the session must satisfy, as libpq's rules find it.
std::string sslmode_of(const std::string& url) {
  const auto options = pg::parse_url(url).options;
  const auto found = options.find("sslmode");
  if (found != options.end()) return found->second;
  const char* variable = std::getenv("PGSSLMODE");
  return variable != nullptr ? variable : "prefer";
}

void look_at_database(Facts& facts, config::Settings& settings) {
  try {
    require_database(settings);
  } catch (const config::SettingsError& error) {
    return facts.add_sentence(Mark::misconfigured, "database", error.what());
  }
  Inquiry inquiry(service::election_settings(settings));
  const auto where = pg::describe_url(settings.database.url);
  const auto failure = inquiry.connect();
  if (!failure.empty()) {
    return facts.add(Mark::failure, "database",
                     fmt::format("cannot connect to {}: {}", where, failure),
                     "see what it says, or name another server in database.url");
  }
  facts.add(Mark::ok, "database", "connected to " + where);
  if (!look_at_server(facts, inquiry)) return;
  look_at_session(facts, inquiry, sslmode_of(settings.database.url));
  const auto planes = look_at_awa(facts, inquiry, service::switched_off(settings));
  look_at_lock(facts, inquiry);
  if (planes) return look_at_health(facts, inquiry, *planes);
  facts.add(Mark::skipped, "health", "the schema has to be right first");
}

void look_at_configuration(Facts& facts, const CheckRequest& request) {
  if (!request.fault.empty()) {
    facts.add_sentence(Mark::misconfigured, "configuration", request.fault);
    return facts.add(Mark::skipped, "database", "the configuration has to be right first");
  }
  facts.add(Mark::ok, "configuration",
            request.file.empty() ? "no file: environment and defaults" : request.file);
}

}  // namespace

int check(CheckRequest request) {
  Facts facts;
  look_at_configuration(facts, request);
  if (request.settings) {
    look_at_duties(facts, *request.settings);
    look_at_settings(facts, *request.settings);
    look_at_http(facts, *request.settings);
    look_at_control(facts, *request.settings);
    look_at_database(facts, *request.settings);
  }
  print(request.as_json ? to_json(facts, request.version)
                        : to_text(facts, request.version, paint_of_stdout()));
  return exit_code(facts.gravest());
}

std::optional<pg::Rows> ask(Facts& facts, Inquiry& inquiry, const std::string& name,
                            pg::Call call) {
  auto reply = inquiry.ask(std::move(call));
  if (reply.ok()) return std::move(reply.rows);
  facts.add(Mark::unknown, name, "cannot be looked at: " + reply.message);
  return std::nullopt;
}

}  // namespace lockkeeper::commands
