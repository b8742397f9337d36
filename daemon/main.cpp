// SPDX-License-Identifier: Apache-2.0
//
// The command line: reads it and the configuration, then hands over to the service room.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "config/settings.hpp"
#include "logging/log.hpp"
#include "pg/connection.hpp"
#include "service/board.hpp"
#include "service/commands.hpp"
#include "service/service.hpp"

namespace {

using namespace lockkeeper;

constexpr auto kStandardFile = "/etc/lockkeeper/lockkeeper.toml";

struct CommandLine {
  std::string file;
  std::string log_level;
  bool as_json = false;
};

int complain(int code, const std::string& what) {
  fmt::print(stderr, "lockkeeper: {}\n", what);
  return code;
}

config::Settings read_settings(const CommandLine& line) {
  const auto schemas = service::branch_schemas();
  const bool has_file = !line.file.empty() || std::filesystem::exists(kStandardFile);
  auto settings = has_file
                      ? config::read_file(line.file.empty() ? kStandardFile : line.file, schemas)
                      : config::standard(schemas);
  config::apply_environment(settings);
  config::read_password(settings);
  return settings;
}

// Throws SettingsError when there is no database to talk to.
void require_database(const config::Settings& settings) {
  if (settings.database.url.empty()) {
    throw config::SettingsError(
        "no database: set url in [database], or LOCKKEEPER_DATABASE_URL in the environment");
  }
  const auto fault = pg::check_url(settings.database.url);
  if (!fault.empty()) throw config::SettingsError("[database] url: " + fault);
}

void open_log(const CommandLine& line, const config::Settings& settings) {
  auto level = static_cast<logging::Level>(settings.log.level);
  const std::string_view words[] = {"trace", "debug", "info", "warn", "error"};
  for (std::size_t index = 0; index < std::size(words); ++index) {
    if (line.log_level == words[index]) level = static_cast<logging::Level>(index);
  }
  logging::open(level, static_cast<logging::Format>(settings.log.format));
}

int run(const CommandLine& line) {
  const auto settings = read_settings(line);
  require_database(settings);
  open_log(line, settings);
  std::optional<service::Service> daemon;
  try {
    daemon.emplace(settings, LOCKKEEPER_VERSION);
  } catch (const std::runtime_error& error) {
    logging::close();
    return complain(service::kBadUsage, error.what());
  }
  const auto code = daemon->run();
  daemon.reset();
  logging::close();
  return code;
}

int take_over(const CommandLine& line) {
  const auto settings = read_settings(line);
  require_database(settings);
  return service::take_over(settings);
}

int execute(const CLI::App& app, const CommandLine& line) {
  if (app.got_subcommand("run")) return run(line);
  if (app.got_subcommand("takeover")) return take_over(line);
  const auto settings = read_settings(line);
  if (app.got_subcommand("branches")) return service::print_branches(settings, line.as_json);
  require_database(settings);
  return service::print_status(settings, line.as_json);
}

void declare(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", std::string("lockkeeper ") + LOCKKEEPER_VERSION);
  app.add_option("-c,--config", line.file,
                 std::string("configuration file, otherwise ") + kStandardFile);
  app.add_option("--log-level", line.log_level, "instead of the file's [log] level")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
  app.require_subcommand(1);
  app.add_subcommand("run", "lead: the daemon, in the foreground, logging to stderr");
  app.add_subcommand("takeover", "end the backend that holds the maintenance lock, once");
  auto* status = app.add_subcommand("status", "who leads, and how the branches are");
  auto* branches = app.add_subcommand("branches", "every branch with its lane and settings");
  status->add_flag("--json", line.as_json, "the same as JSON");
  branches->add_flag("--json", line.as_json, "the same as JSON");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Leads the maintenance of an Awa job queue, in two lanes", "lockkeeper");
  CommandLine line;
  declare(app, line);
  try {
    app.parse(argc, argv);
    return execute(app, line);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? lockkeeper::service::kDone : lockkeeper::service::kBadUsage;
  } catch (const config::SettingsError& error) {
    return complain(service::kBadUsage, error.what());
  } catch (const std::exception& error) {
    return complain(service::kFailed, error.what());
  }
}
