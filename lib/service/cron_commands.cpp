// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "service/commands.hpp"
#include "service/cron_pages.hpp"
#include "service/schedule_reader.hpp"
#include "service/service.hpp"
#include "service/settings_parts.hpp"
#include "service/terminal.hpp"

namespace lockkeeper::service {

int list_schedules(config::Settings settings, bool as_json) {
  require_database(settings);
  const auto read = read_schedules(election_settings(settings), settings.cron);
  if (!read.failure.empty()) return complain(kFailed, read.failure);
  print(as_json ? schedules_as_json(read) : schedules_as_text(read, paint_of_stdout()));
  return kDone;
}

int print_declared(const config::Settings& settings) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  print(declared_as_text(settings.cron, now, paint_of_stdout()));
  return kDone;
}

int print_fires(const CronQuestion& question) {
  try {
    const cron::Timetable timetable(question.expression, question.zone);
    const auto now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    print(fires_as_text(timetable, now, question.count, paint_of_stdout()));
  } catch (const cron::ExpressionError& error) {
    return complain(kBadUsage, error.what());
  } catch (const cron::ZoneError& error) {
    return complain(kBadUsage, error.what());
  }
  return kDone;
}

int print_meaning(const CronQuestion& question) {
  try {
    print(meaning_as_text(cron::parse(question.expression), paint_of_stdout()));
  } catch (const cron::ExpressionError& error) {
    return complain(kBadUsage, error.what());
  }
  return kDone;
}

}  // namespace lockkeeper::service
