// SPDX-License-Identifier: Apache-2.0
#include "service/declared.hpp"

#include <fmt/format.h>

#include "cron/timetable.hpp"

namespace lockkeeper::service {

void require_schedules(const config::Settings& settings) {
  for (const auto& declaration : settings.cron) {
    try {
      const cron::Timetable timetable(declaration.expression, declaration.zone);
    } catch (const cron::ExpressionError& error) {
      throw config::SettingsError(fmt::format("{}: expression in [[cron]] cannot be read: {}",
                                              declaration.expression_place, error.what()));
    } catch (const cron::ZoneError& error) {
      throw config::SettingsError(
          fmt::format("{}: zone in [[cron]]: {}", declaration.zone_place, error.what()));
    }
  }
}

}  // namespace lockkeeper::service
