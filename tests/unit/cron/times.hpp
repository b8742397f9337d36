// SPDX-License-Identifier: Apache-2.0
//
// Times of the room cron as tests write them: "2026-01-31 12:00:00", instants in UTC.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "cron/zone.hpp"

namespace lockkeeper::test {

inline std::chrono::sys_seconds utc(const std::string& written) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(written.c_str(), "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute,
                  &second) != 6) {
    throw std::runtime_error("no time: " + written);
  }
  const auto date = std::chrono::year(year) / month / day;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

inline cron::Instant instant(const std::string& written) { return utc(written); }

inline cron::Wall wall(const std::string& written) {
  return cron::Wall(utc(written).time_since_epoch());
}

inline std::string text(cron::Wall time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto second = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     second / 3600, second / 60 % 60, second % 60);
}

inline std::string text(cron::Instant at) {
  return text(cron::Wall(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch()));
}

}  // namespace lockkeeper::test
