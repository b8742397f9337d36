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
#include "service/window.hpp"
#include "time/duration.hpp"

namespace lockkeeper {
namespace {

// In the order of config::LogLevel.
constexpr std::array kLevels = {"trace", "debug", "info", "warn", "error"};

using Words = std::vector<std::string>;

config::LogLevel read_level(const std::string& word) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), word);
  if (found == kLevels.end()) {
    throw UsageError(fmt::format("--log-level must be one of {}, not {}", fmt::join(kLevels, ", "),
                                 logging::quoted(word)));
  }
  return static_cast<config::LogLevel>(found - kLevels.begin());
}

void declare_cron(CLI::App& cron, CommandLine& line) {
  cron.require_subcommand(0, 1);
  auto* list = cron.add_subcommand("list", "the schedules of the database, what each fires next");
  auto* next = cron.add_subcommand("next", "when an expression fires from now on");
  auto* check = cron.add_subcommand("check", "what an expression means, or what is wrong with it");
  list->add_flag("--json", line.as_json, "the same as JSON");
  next->add_option("EXPR", line.cron.expression, "five or six fields, between quotes")
      ->type_name("")
      ->required();
  check
      ->add_option("EXPR", line.cron.expression,
                   "five or six fields, between quotes; without it all that the file declares")
      ->type_name("")
      ->each([&line](const std::string&) { line.cron.is_asked = true; });
  next->add_option("--zone", line.cron.zone, "time zone, UTC if there is none")->type_name("ZONE");
  next->add_option("-n,--count", line.cron.count, "so many fires, 5 if it is not said")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  for (auto* command : cron.get_subcommands({})) command->group("Commands");
}

void declare_tick(CLI::App& tick, CommandLine& line) {
  tick.add_option("--branch", line.tick.branches, "only this one; may be said several times")
      ->type_name("WORD")
      ->allow_extra_args(false);
  tick.add_flag("--dry-run", line.tick.is_rehearsal, "do everything and roll it back");
  tick.add_flag("--json", line.tick.as_json, "the same as JSON");
}

time::Duration read_window(const std::string& word) {
  constexpr time::Duration kShortest = std::chrono::milliseconds(1);
  const auto window = time::parse_duration(word);
  if (!window || *window < kShortest || *window > service::kLongestWindow) {
    throw UsageError(fmt::format("--for must be a duration of at most 10m, such as 60s, not {}",
                                 logging::quoted(word)));
  }
  return *window;
}

// What the server would cut off, and what would end a comment, is no name.
std::string read_role(const std::string& word) {
  constexpr std::size_t kLongest = 63;
  const bool is_name = !word.empty() && word.size() <= kLongest && logging::printable(word) == word;
  if (is_name) return word;
  throw UsageError(fmt::format("--role must be the name of a role, 63 bytes at most, not {}",
                               logging::quoted(word)));
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
  declare_tick(*app.add_subcommand("tick", "one pass of each branch as leader, then release"),
               line);
  app.add_subcommand("yield", "step aside until a worker has led and published its schedules")
      ->add_option_function<std::string>(
          "--for", [&line](const std::string& word) { line.window = read_window(word); },
          "at most so long, 60s if it is not said")
      ->type_name("DURATION");
  app.add_subcommand("grants", "the SQL of the role that has what the branches need, and no more")
      ->add_option_function<std::string>(
          "--role", [&line](const std::string& word) { line.role = read_role(word); },
          "this one, instead of the one that the daemon acts as")
      ->type_name("ROLE");
  app.add_subcommand("takeover", "end the backend that holds the maintenance lock, once");
  declare_cron(*app.add_subcommand("cron", "the cron schedules, and what an expression means"),
               line);
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

bool has_commands(const CLI::App& app) { return !commands_of(app).empty(); }

Words options_of(const CLI::App& app) {
  Words words;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

// The command, or the innermost of commands within commands.
const CLI::App* chosen(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  if (commands.empty()) return nullptr;
  const auto* inner = chosen(*commands.front());
  return inner ? inner : commands.front();
}

// "cron next".
std::string name_of(const CLI::App& command) {
  const auto* outer = command.get_parent();
  const bool is_outermost = outer == nullptr || outer->get_parent() == nullptr;
  return (is_outermost ? "" : name_of(*outer) + " ") + command.get_name();
}

std::string hint(const std::string& word, const Words& candidates, const CLI::App* command) {
  const auto better = config::nearest(word, candidates);
  if (!better.empty()) return fmt::format("did you mean \"{}\"?", better);
  return fmt::format("see lockkeeper {}--help", command ? name_of(*command) + " " : "");
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
  if (command && (name_of(*command) == "cron next" || name_of(*command) == "cron check")) {
    return fmt::format("unexpected argument {}; put the expression between quotes", shown);
  }
  if (command && !has_commands(*command)) {
    return fmt::format("unexpected argument {}; see lockkeeper {} --help", shown,
                       name_of(*command));
  }
  if (command) {
    return fmt::format("unknown command {}; {}", logging::quoted(name_of(*command) + " " + word),
                       hint(word, commands_of(*command), command));
  }
  return fmt::format("unknown command {}; {}", shown, hint(word, commands_of(app), nullptr));
}

std::string command_of(const CLI::App& app) {
  const auto* command = chosen(app);
  if (command && !has_commands(*command)) return name_of(*command);
  throw UsageError(fmt::format("no command{}; one of {} is needed",
                               command ? " behind " + name_of(*command) : "",
                               fmt::join(commands_of(command ? *command : app), ", ")));
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
  } catch (const CLI::RequiredError&) {
    throw UsageError(
        fmt::format("EXPR is missing; see lockkeeper {} --help", name_of(*chosen(app))));
  } catch (const CLI::ParseError& error) {
    throw UsageError(logging::printable(error.what()));
  }
  return line;
}

}  // namespace lockkeeper
