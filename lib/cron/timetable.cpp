// SPDX-License-Identifier: Apache-2.0
#include "cron/timetable.hpp"

#include <algorithm>

namespace lockkeeper::cron {
namespace {

using std::chrono::seconds;

constexpr auto kBeforeCreation = seconds(60);

}  // namespace

Timetable::Timetable(std::string_view expression, const std::string& zone)
    : calendar_(parse(expression)), zone_(Zone::find(zone)) {}

std::optional<Instant> Timetable::due(const Progress& progress, Instant now) const {
  if (progress.catches_up && progress.last) {
    const auto oldest = after(*progress.last);
    return oldest && *oldest <= now ? oldest : std::nullopt;
  }
  auto newest = calendar_.previous(zone_.reached(now));
  if (!newest) return std::nullopt;
  if (is_passed_over(*newest)) newest = zone_.wall(zone_.first(*newest) - seconds(1));
  if (!progress.last && *newest < beginning(progress)) return std::nullopt;
  const auto fire = zone_.first(*newest);
  if (progress.last && fire <= *progress.last) return std::nullopt;
  return fire;
}

std::optional<Instant> Timetable::upcoming(const Progress& progress, Instant now) const {
  if (progress.last) return after(std::max(now, *progress.last));
  return first_from(std::max(zone_.reached(now) + seconds(1), beginning(progress)));
}

std::optional<Instant> Timetable::after(Instant instant) const {
  return first_from(zone_.reached(instant) + seconds(1));
}

std::optional<Instant> Timetable::first_from(Wall from) const {
  auto time = calendar_.next(from);
  if (time && is_passed_over(*time)) time = calendar_.next(zone_.wall(zone_.first(*time)));
  return time ? std::optional(zone_.first(*time)) : std::nullopt;
}

bool Timetable::is_passed_over(Wall time) const {
  const auto first = zone_.first(time);
  if (zone_.wall(first) == time) return false;
  const auto before = zone_.wall(first - seconds(1));
  return calendar_.next(before) == before;
}

Wall Timetable::beginning(const Progress& progress) const {
  return zone_.wall(progress.created - kBeforeCreation);
}

}  // namespace lockkeeper::cron
