// SPDX-License-Identifier: Apache-2.0
#include "daemon/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "config/nearest.hpp"
#include "logging/quote.hpp"

namespace lockkeeper {
namespace {

// In the order of config::LogLevel.
constexpr std::array kLevels = {"trace", "debug", "info", "warn", "error"};

// Promised by the documentation and not part of this version.
constexpr std::array kLaterCommands = {"tick", "cron", "yield", "grants"};

using Words = std::vector<std::string>;

config::LogLevel read_level(const std::string& word) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), word);
  if (found == kLevels.end()) {
    throw UsageError(fmt::format("--log-level must be one of {}, not {}", fmt::join(kLevels, ", "),
                                 logging::quoted(word)));
  }
  return static_cast<config::LogLevel>(found - kLevels.begin());
}

void declare(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", std::string("lockkeeper ") + LOCKKEEPER_VERSION,
                       "print the version and end");
  app.set_help_flag("-h,--help", "print this and end");
  app.add_option("-c,--config", line.file,
                 "configuration file, otherwise /etc/lockkeeper/lockkeeper.toml")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--log-level", [&line](const std::string& word) { line.log_level = read_level(word); },
         "trace, debug, info, warn or error, instead of the file's")
      ->type_name("LEVEL");
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.require_subcommand(0, 1);  // its absence is told in our own words
  app.fallthrough();             // -c may also stand behind the command

  app.add_subcommand("run", "lead: the daemon, in the foreground, logging to stderr");
  auto* check =
      app.add_subcommand("check", "everything that would stop or hurt it, with the remedy");
  auto* status = app.add_subcommand("status", "who leads, and how the branches are");
  auto* branches = app.add_subcommand("branches", "every branch with its lane and settings");
  app.add_subcommand("takeover", "end the backend that holds the maintenance lock, once");
  check->add_flag("--json", line.as_json, "the same as JSON");
  status->add_flag("--json", line.as_json, "the same as JSON");
  status->add_flag("--watch", line.is_watching, "again each second, until it is interrupted");
  branches->add_flag("--json", line.as_json, "the same as JSON");
  for (auto* command : app.get_subcommands({})) command->group("Commands");
}

Words commands_of(const CLI::App& app) {
  Words words;
  for (const auto* command : app.get_subcommands(nullptr)) words.push_back(command->get_name());
  return words;
}

Words options_of(const CLI::App& app) {
  Words words;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

const CLI::App* chosen(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? nullptr : commands.front();
}

std::string hint(const std::string& word, const Words& candidates, const CLI::App* command) {
  const auto better = config::nearest(word, candidates);
  if (!better.empty()) return fmt::format("did you mean \"{}\"?", better);
  return fmt::format("see lockkeeper {}--help", command ? command->get_name() + " " : "");
}

// The first word that nothing wanted.
std::string describe_extra(const CLI::App& app) {
  const auto word = app.remaining(true).front();
  const auto* command = chosen(app);
  const auto shown = logging::quoted(word);
  if (word.starts_with('-')) {
    auto candidates = options_of(app);
    if (command) {
      for (auto& option : options_of(*command)) candidates.push_back(std::move(option));
    }
    return fmt::format("unknown option {}; {}", shown, hint(word, candidates, command));
  }
  if (command) {
    return fmt::format("unexpected argument {}; see lockkeeper {} --help", shown,
                       command->get_name());
  }
  if (std::find(kLaterCommands.begin(), kLaterCommands.end(), word) != kLaterCommands.end()) {
    return fmt::format("the command {} is not part of this version", word);
  }
  return fmt::format("unknown command {}; {}", shown, hint(word, commands_of(app), nullptr));
}

std::string command_of(const CLI::App& app) {
  if (const auto* command = chosen(app)) return command->get_name();
  throw UsageError(
      fmt::format("no command; one of {} is needed", fmt::join(commands_of(app), ", ")));
}

}  // namespace

CommandLine read_command_line(int argc, const char* const* argv) {
  CLI::App app("Leads the maintenance of an Awa job queue, in two lanes.", "lockkeeper");
  CommandLine line;
  declare(app, line);
  try {
    app.parse(argc, argv);
    line.command = command_of(app);
  } catch (const CLI::Success& request) {
    std::ostringstream text;
    app.exit(request, text, text);
    line.answer = text.str();
  } catch (const CLI::ExtrasError&) {
    throw UsageError(describe_extra(app));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    throw UsageError(what.substr(0, what.find(':')) + " needs one value");
  } catch (const CLI::ParseError& error) {
    throw UsageError(logging::printable(error.what()));
  }
  return line;
}

}  // namespace lockkeeper
