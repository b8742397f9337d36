// SPDX-License-Identifier: Apache-2.0
//
// What the cron commands print. Pure.
#pragma once

#include <string>

#include "commands/schedule_reader.hpp"
#include "cron/expression.hpp"
#include "cron/timetable.hpp"
#include "display/table.hpp"

namespace lockkeeper::commands {

// "2026-05-07 14:00:00 +02:00", as the zone's clocks show it.
std::string written(const cron::Zone& zone, cron::Instant at);

// All schedules by name, then those that are declared and not in the database. Times are UTC; what
// is next is what is due, if something is.
std::string schedules_as_text(const ReadSchedules& read, display::Paint paint);
std::string schedules_as_json(const ReadSchedules& read);

// The declared ones, with what each fires next.
std::string declared_as_text(branches::Declarations declared, cron::Instant now,
                             display::Paint paint);

// The fires after now, one a line: in the zone, and in UTC.
std::string fires_as_text(const cron::Timetable& timetable, cron::Instant now, int count,
                          display::Paint paint);

// Each field with what it stands for.
std::string meaning_as_text(const cron::Expression& expression, display::Paint paint);

}  // namespace lockkeeper::commands
