// SPDX-License-Identifier: Apache-2.0
//
// What the cron commands print. Pure.
#pragma once

#include <string>

#include "branches/cron/cron_schedules.hpp"
#include "cron/expression.hpp"
#include "cron/timetable.hpp"
#include "service/table.hpp"

namespace lockkeeper::service {

// "2026-05-07 14:00:00 +02:00", as the zone's clocks show it.
std::string written(const cron::Zone& zone, cron::Instant at);

// All schedules by name. Times are UTC; what is next is what is due, if something is.
std::string schedules_as_text(const branches::CronSchedules& schedules, Paint paint);
std::string schedules_as_json(const branches::CronSchedules& schedules);

// The fires after now, one a line: in the zone, and in UTC.
std::string fires_as_text(const cron::Timetable& timetable, cron::Instant now, int count,
                          Paint paint);

// Each field with what it stands for.
std::string meaning_as_text(const cron::Expression& expression, Paint paint);

}  // namespace lockkeeper::service
