// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "commands/commands.hpp"
#include "commands/cron_pages.hpp"
#include "commands/schedule_reader.hpp"
#include "commands/terminal.hpp"
#include "display/exit_codes.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::commands {

int list_schedules(config::Settings settings, bool as_json) {
  require_database(settings);
  const auto read = read_schedules(service::election_settings(settings), settings.cron);
  if (!read.failure.empty()) {
    return complain(read.is_refused ? display::kRefused : display::kFailed, read.failure);
  }
  print(as_json ? schedules_as_json(read) : schedules_as_text(read, paint_of_stdout()));
  return display::kDone;
}

int print_declared(const config::Settings& settings) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  print(declared_as_text(settings.cron, now, paint_of_stdout()));
  return display::kDone;
}

int print_fires(const CronQuestion& question) {
  try {
    const cron::Timetable timetable(question.expression, question.zone);
    const auto now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    print(fires_as_text(timetable, now, question.count, paint_of_stdout()));
  } catch (const cron::ExpressionError& error) {
    return complain(display::kBadUsage, error.what());
  } catch (const cron::ZoneError& error) {
    return complain(display::kBadUsage, error.what());
  }
  return display::kDone;
}

int print_meaning(const CronQuestion& question) {
  try {
    print(meaning_as_text(cron::parse(question.expression), paint_of_stdout()));
  } catch (const cron::ExpressionError& error) {
    return complain(display::kBadUsage, error.what());
  }
  return display::kDone;
}

}  // namespace lockkeeper::commands
