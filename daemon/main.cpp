// SPDX-License-Identifier: Apache-2.0
//
// The program: reads command line and configuration, then hands over to the rooms below.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>

#include "commands/check.hpp"
#include "commands/commands.hpp"
#include "commands/terminal.hpp"
#include "config/settings.hpp"
#include "daemon/command_line.hpp"
#include "daemon/policy.hpp"
#include "display/board.hpp"
#include "display/exit_codes.hpp"
#include "http/address.hpp"
#include "logging/log.hpp"
#include "service/declared.hpp"
#include "service/service.hpp"
#include "service/settings_parts.hpp"

namespace {

using namespace lockkeeper;
using commands::complain;

constexpr auto kStandardFile = "/etc/lockkeeper/lockkeeper.toml";

// A descriptor that is missing would be taken by the first socket, and then written to.
void occupy_standard_descriptors() {
  int descriptor = 0;
  do {
    descriptor = ::open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

// Empty when none is named and the standard one does not exist.
std::string file_of(const CommandLine& line) {
  if (line.file) return *line.file;
  std::error_code ignored;
  const bool has_standard_file = std::filesystem::status(kStandardFile, ignored).type() !=
                                 std::filesystem::file_type::not_found;
  return has_standard_file ? kStandardFile : "";
}

config::Settings read_settings(const CommandLine& line) {
  const auto schemas = display::branch_schemas();
  const auto file = file_of(line);
  const bool has_file = line.file || !file.empty();
  auto settings = has_file ? config::read_file(file, schemas) : config::standard(schemas);
  config::apply_environment(settings);
  service::require_schedules(settings);
  return settings;
}

// Here a configuration that cannot be read is a finding like any other.
int check(const CommandLine& line) {
  commands::CheckRequest request{LOCKKEEPER_VERSION, line.as_json, file_of(line), {}, {}};
  try {
    request.settings = read_settings(line);
  } catch (const config::SettingsError& error) {
    request.fault = error.what();
  }
  return commands::check(std::move(request));
}

config::Settings read_for_run(const CommandLine& line) {
  auto settings = read_settings(line);
  commands::require_listen(settings);
  commands::require_database(settings);
  settings.log.level = line.log_level.value_or(settings.log.level);
  return settings;
}

// The file that it began with is the one that is read again, missing or not.
int run(CommandLine line) {
  if (const auto file = file_of(line); !file.empty()) line.file = file;
  const auto settings = read_for_run(line);
  logging::open(service::log_level(settings), service::log_format(settings));
  std::optional<service::Service> daemon;
  try {
    daemon.emplace(
        settings, LOCKKEEPER_VERSION, [&line] { return read_for_run(line); }, make_policy);
  } catch (const http::ListenError& error) {
    logging::close();
    return complain(display::kBadUsage, error.what());
  }
  const auto code = daemon->run();
  daemon.reset();
  logging::close();
  return code;
}

int tick(const CommandLine& line, config::Settings settings) {
  settings.log.level = line.log_level.value_or(config::LogLevel::warn);
  logging::open(service::log_level(settings), service::log_format(settings));
  const auto code = commands::tick(std::move(settings), line.tick);
  logging::close();
  return code;
}

int execute(const CommandLine& line) {
  if (!line.answer.empty()) {
    std::fputs(line.answer.c_str(), stdout);
    return display::kDone;
  }
  if (line.command == "check") return check(line);
  if (line.command == "run") return run(line);
  if (line.command == "cron next") return commands::print_fires(line.cron);
  if (line.command == "cron check" && line.cron.is_asked) return commands::print_meaning(line.cron);
  auto settings = read_settings(line);
  if (line.command == "cron check") return commands::print_declared(settings);
  commands::require_listen(settings);
  if (line.command == "branches") return commands::print_branches(settings, line.as_json);
  if (line.command == "cron list") return commands::list_schedules(settings, line.as_json);
  if (line.command == "tick") return tick(line, std::move(settings));
  if (line.command == "yield") return commands::step_aside(settings, line.window);
  if (line.command == "grants") return commands::print_grants(std::move(settings), line.role);
  if (line.command == "takeover") return commands::take_over(std::move(settings));
  return commands::print_status(std::move(settings),
                                {LOCKKEEPER_VERSION, line.as_json, line.is_watching});
}

// What is lost in a full disk or a closed pipe was not done.
int flushed(int code) {
  const bool was_lost = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0 && !was_lost) return code;
  return complain(display::kFailed, std::string("cannot write the output: ") +
                                        (was_lost ? "some of it is lost" : std::strerror(errno)));
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  try {
    return flushed(execute(read_command_line(argc, argv)));
  } catch (const UsageError& error) {
    return complain(display::kBadUsage, error.what());
  } catch (const config::SettingsError& error) {
    return complain(display::kBadUsage, error.what());
  } catch (const std::exception& error) {
    return complain(display::kFailed, error.what());
  }
}
