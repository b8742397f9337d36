// SPDX-License-Identifier: Apache-2.0
//
// What somebody typed, read and checked. The only door to CLI11.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "commands/commands.hpp"
#include "commands/tick.hpp"
#include "config/settings.hpp"

namespace lockkeeper {

struct CommandLine {
  std::string command;              // run, check, cron list and so on
  std::optional<std::string> file;  // -c
  std::optional<config::LogLevel> log_level;
  bool as_json = false;
  bool is_watching = false;
  commands::TickRequest tick;
  time::Duration window = std::chrono::seconds(60);  // of yield
  std::optional<std::string> role;                   // of grants
  commands::CronQuestion cron;                       // of cron next and cron check

  std::string answer;  // of --help and --version: to be printed, and nothing else to be done
};

// `what` is one sentence that says what to do about it.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

CommandLine read_command_line(int argc, const char* const* argv);

}  // namespace lockkeeper
