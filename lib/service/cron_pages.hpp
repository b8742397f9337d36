// SPDX-License-Identifier: Apache-2.0
//
// What the cron commands print. Pure.
#pragma once

#include <string>

#include "cron/expression.hpp"
#include "cron/timetable.hpp"
#include "service/schedule_reader.hpp"
#include "service/table.hpp"

namespace lockkeeper::service {

// "2026-05-07 14:00:00 +02:00", as the zone's clocks show it.
std::string written(const cron::Zone& zone, cron::Instant at);

// All schedules by name, then those that are declared and not in the database. Times are UTC; what
// is next is what is due, if something is.
std::string schedules_as_text(const ReadSchedules& read, Paint paint);
std::string schedules_as_json(const ReadSchedules& read);

// The declared ones, with what each fires next.
std::string declared_as_text(branches::Declarations declared, cron::Instant now, Paint paint);

// The fires after now, one a line: in the zone, and in UTC.
std::string fires_as_text(const cron::Timetable& timetable, cron::Instant now, int count,
                          Paint paint);

// Each field with what it stands for.
std::string meaning_as_text(const cron::Expression& expression, Paint paint);

}  // namespace lockkeeper::service
