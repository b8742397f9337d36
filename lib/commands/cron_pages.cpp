// SPDX-License-Identifier: Apache-2.0
#include "commands/cron_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "display/json.hpp"

namespace lockkeeper::commands {
namespace {

using branches::Schedule;
using std::chrono::seconds;

std::string written(cron::Wall time, char between) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto second = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     between, second / 3600, second / 60 % 60, second % 60);
}

std::string in_utc(cron::Instant at) {
  return written(cron::Wall(std::chrono::floor<seconds>(at).time_since_epoch()), 'T') + "Z";
}

std::string in_utc(const std::optional<cron::Instant>& at) { return at ? in_utc(*at) : "-"; }

std::vector<const Schedule*> by_name(const branches::CronSchedules& schedules) {
  std::vector<const Schedule*> sorted;
  for (const auto& [id, schedule] : schedules.by_id()) sorted.push_back(&schedule);
  std::sort(sorted.begin(), sorted.end(), [](const Schedule* one, const Schedule* other) {
    return one->row.name < other->row.name;
  });
  return sorted;
}

bool has_name(const branches::CronSchedules& schedules, const std::string& name) {
  const auto& all = schedules.by_id();
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& each) { return each.second.row.name == name; });
}

// Declared, and nowhere else.
std::vector<const config::Declaration*> missing(const ReadSchedules& read) {
  std::vector<const config::Declaration*> missing;
  for (const auto& declaration : read.declared) {
    const bool is_waiting = read.waiting.count(declaration.name) != 0;
    if (is_waiting && !has_name(read.schedules, declaration.name)) missing.push_back(&declaration);
  }
  return missing;
}

bool is_declared(const ReadSchedules& read, const std::string& name) {
  return std::any_of(read.declared.begin(), read.declared.end(),
                     [&](const auto& declaration) { return declaration.name == name; });
}

// What a person should know first.
std::string remark(const ReadSchedules& read, const Schedule& schedule) {
  const auto& name = schedule.row.name;
  if (!schedule.fault.empty()) return schedule.fault;
  if (read.waiting.count(name) != 0) return "declared otherwise, not written yet";
  if (schedule.row.is_paused) return "paused";
  if (!schedule.next) return "never fires";
  return is_declared(read, name) ? "declared" : "";
}

void write_time(display::Json& json, std::string_view key, const std::optional<cron::Instant>& at) {
  json.key(key);
  if (at) {
    json.value(in_utc(*at));
  } else {
    json.null();
  }
}

void write_declared(display::Json& json, const ReadSchedules& read, const std::string& name) {
  json.field("declared", is_declared(read, name));
  json.field("written", read.waiting.count(name) == 0);
}

void write_missing(display::Json& json, const ReadSchedules& read,
                   const config::Declaration& declaration) {
  json.begin_object().field("name", declaration.name).field("expression", declaration.expression);
  json.field("zone", declaration.zone);
  json.key("next").null().key("last").null().field("paused", false);
  write_declared(json, read, declaration.name);
  json.key("error").null().end_object();
}

void write_schedule(display::Json& json, const ReadSchedules& read, const Schedule& schedule) {
  const auto& row = schedule.row;
  json.begin_object().field("name", row.name).key("expression");
  if (row.expression) {
    json.value(*row.expression);
  } else {
    json.null();
  }
  json.field("zone", row.zone).field("queue", row.queue).field("missed_fire_policy", row.policy);
  write_time(json, "next", schedule.next);
  write_time(json, "last", schedule.progress.last);
  json.field("paused", row.is_paused);
  write_declared(json, read, row.name);
  json.key("error");
  if (schedule.fault.empty()) {
    json.null();
  } else {
    json.value(schedule.fault);
  }
  json.end_object();
}

// 0, 5-9, 30 of a set; three or more in a row are a range.
std::string numbers_as_text(cron::Numbers numbers) {
  std::string text;
  for (unsigned first = 0; first < 64; ++first) {
    if (!cron::has(numbers, first)) continue;
    auto last = first;
    while (last < 63 && cron::has(numbers, last + 1)) ++last;
    if (last == first + 1) last = first;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", first);
    if (last > first) text += fmt::format("-{}", last);
    first = last;
  }
  return text;
}

std::string joined(const std::string& one, const std::string& other) {
  return one + (one.empty() || other.empty() ? "" : ", ") + other;
}

std::string or_none(const std::string& text) { return text.empty() ? "none" : text; }

std::string days_as_text(const cron::Expression& expression) {
  if (expression.is_any_day) return "any";
  auto text = numbers_as_text(expression.days);
  if (expression.has_last_day) text = joined(text, "the last");
  if (expression.closest_days != 0) {
    text = joined(text, "the weekday closest to " + numbers_as_text(expression.closest_days));
  }
  return or_none(text);
}

std::string weekdays_as_text(cron::Numbers weekdays) {
  constexpr const char* kNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday"};
  std::string text;
  for (unsigned day = 0; day < 7; ++day) {
    if (cron::has(weekdays, day)) text = joined(text, kNames[day]);
  }
  return text;
}

std::string weekdays_as_text(const cron::Expression& expression) {
  constexpr const char* kNth[] = {"", "first", "second", "third", "fourth", "fifth"};
  if (expression.is_any_weekday) return "any";
  auto text = weekdays_as_text(expression.weekdays);
  for (std::size_t n = 1; n <= 5; ++n) {
    const auto days = weekdays_as_text(expression.nth_weekdays[n]);
    if (!days.empty()) text = joined(text, fmt::format("the {} {} of the month", kNth[n], days));
  }
  const auto last = weekdays_as_text(expression.last_weekdays);
  if (!last.empty()) text = joined(text, fmt::format("the last {} of the month", last));
  return or_none(text);
}

}  // namespace

std::string written(const cron::Zone& zone, cron::Instant at) {
  const auto wall = zone.wall(at);
  const auto ahead = wall.time_since_epoch() - std::chrono::floor<seconds>(at).time_since_epoch();
  const auto minutes = std::abs(ahead.count()) / 60;
  return fmt::format("{} {}{:02}:{:02}", written(wall, ' '), ahead.count() < 0 ? '-' : '+',
                     minutes / 60, minutes % 60);
}

std::string schedules_as_text(const ReadSchedules& read, display::Paint paint) {
  const auto waiting = missing(read);
  if (read.schedules.size() == 0 && waiting.empty()) return "no schedules\n";
  display::Table table({{"schedule"}, {"expression"}, {"zone"}, {"next"}, {"last"}, {"remark"}});
  for (const auto* schedule : by_name(read.schedules)) {
    const auto& row = schedule->row;
    table.row({row.name, row.expression.value_or("(too long)"), row.zone, in_utc(schedule->next),
               in_utc(schedule->progress.last), remark(read, *schedule)},
              !schedule->fault.empty() ? display::Tone::bad
              : row.is_paused          ? display::Tone::quiet
                                       : display::Tone::plain);
  }
  for (const auto* each : waiting) {
    table.row({each->name, each->expression, each->zone, "-", "-", "declared, not written yet"});
  }
  return table.text(paint);
}

std::string schedules_as_json(const ReadSchedules& read) {
  display::Json json;
  json.begin_object().key("schedules").begin_array();
  for (const auto* schedule : by_name(read.schedules)) write_schedule(json, read, *schedule);
  for (const auto* each : missing(read)) write_missing(json, read, *each);
  json.end_array().end_object();
  return json.take() + "\n";
}

std::string declared_as_text(branches::Declarations declared, cron::Instant now,
                             display::Paint paint) {
  if (declared.empty()) return "no schedules are declared: write [[cron]] into the file\n";
  display::Table table({{"schedule"}, {"expression"}, {"zone"}, {"next"}});
  for (const auto& each : declared) {
    const cron::Timetable timetable(each.expression, each.zone);
    const auto next = timetable.after(now);
    table.row({each.name, each.expression, each.zone, next ? in_utc(*next) : "never"});
  }
  return table.text(paint);
}

std::string fires_as_text(const cron::Timetable& timetable, cron::Instant now, int count,
                          display::Paint paint) {
  auto fire = timetable.after(now);
  if (!fire) return "it never fires\n";
  display::Table table({{"in the zone"}, {"in UTC"}});
  for (; fire && count > 0; --count) {
    table.row({written(timetable.zone(), *fire), in_utc(*fire)});
    fire = timetable.after(*fire);
  }
  return table.text(paint);
}

std::string meaning_as_text(const cron::Expression& expression, display::Paint paint) {
  display::Table table({{"field"}, {"means"}});
  table.row({"second", or_none(numbers_as_text(expression.seconds))});
  table.row({"minute", or_none(numbers_as_text(expression.minutes))});
  table.row({"hour", or_none(numbers_as_text(expression.hours))});
  table.row({"day of month", days_as_text(expression)});
  table.row({"month", or_none(numbers_as_text(expression.months))});
  table.row({"day of week", weekdays_as_text(expression)});
  auto text = table.text(paint);
  if (!expression.is_any_day && !expression.is_any_weekday) {
    text += "a day counts when the day of month or the day of week is right\n";
  }
  if (cron::Calendar(expression).is_empty()) text += "no time is ever right: it never fires\n";
  return text;
}

}  // namespace lockkeeper::commands
