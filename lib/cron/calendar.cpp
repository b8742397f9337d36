// SPDX-License-Identifier: Apache-2.0
#include "cron/calendar.hpp"

#include <algorithm>
#include <bit>

namespace lockkeeper::cron {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::seconds;
using std::chrono::year;

// A leap year that begins with a given weekday comes again after forty years at most.
constexpr int kYearsAround = 40;
constexpr unsigned kLastNumber = 63;

// A day as the rules see it, without its year.
struct Day {
  unsigned month;
  unsigned number;  // in its month, as the next two
  unsigned before;  // of the day before
  unsigned after;
  unsigned last;     // of its month
  unsigned weekday;  // 0 is Sunday
};

unsigned month_length(unsigned month, bool is_leap) {
  constexpr unsigned kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kLengths[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

// From Monday to Friday, on the day itself or on the one that stands in for a weekend's.
bool is_closest(const Expression& expression, const Day& day) {
  constexpr unsigned kMonday = 1, kFriday = 5;
  if (day.weekday < kMonday || day.weekday > kFriday) return false;
  return has(expression.closest_days, day.number) ||
         (day.weekday == kMonday && has(expression.closest_days, day.before)) ||
         (day.weekday == kFriday && has(expression.closest_days, day.after));
}

bool is_day(const Expression& expression, const Day& day) {
  return has(expression.days, day.number) || (expression.has_last_day && day.number == day.last) ||
         is_closest(expression, day);
}

bool is_weekday(const Expression& expression, const Day& day) {
  const auto nth = (day.number - 1) / 7 + 1;
  return has(expression.weekdays, day.weekday) || has(expression.nth_weekdays[nth], day.weekday) ||
         (has(expression.last_weekdays, day.weekday) && day.number + 7 > day.last);
}

// Where both are given, one of them is enough.
bool matches(const Expression& expression, const Day& day) {
  if (!has(expression.months, day.month)) return false;
  if (expression.is_any_day && expression.is_any_weekday) return true;
  if (expression.is_any_weekday) return is_day(expression, day);
  if (expression.is_any_day) return is_weekday(expression, day);
  return is_day(expression, day) || is_weekday(expression, day);
}

// Calls back with every day of a year and its place in it.
template <typename OnDay>
void for_each_day(unsigned first_weekday, bool is_leap, const OnDay& on_day) {
  constexpr unsigned kDecember = 31;
  unsigned place = 0;
  unsigned before = kDecember;
  for (unsigned month = 1; month <= 12; ++month) {
    const auto last = month_length(month, is_leap);
    for (unsigned number = 1; number <= last; ++number, ++place) {
      const auto after = number == last ? 1 : number + 1;
      on_day(place, Day{month, number, before, after, last, (first_weekday + place) % 7});
      before = number;
    }
  }
}

std::optional<unsigned> first_from(Numbers numbers, unsigned from) {
  if (from > kLastNumber || (numbers >> from) == 0) return std::nullopt;
  return from + static_cast<unsigned>(std::countr_zero(numbers >> from));
}

std::optional<unsigned> last_until(Numbers numbers, unsigned until) {
  const auto shift = kLastNumber - until;
  if ((numbers << shift) == 0) return std::nullopt;
  return until - static_cast<unsigned>(std::countl_zero(numbers << shift));
}

std::optional<unsigned> last_below(Numbers numbers, unsigned limit) {
  return limit == 0 ? std::nullopt : last_until(numbers, limit - 1);
}

unsigned lowest(Numbers numbers) { return *first_from(numbers, 0); }
unsigned highest(Numbers numbers) { return *last_until(numbers, kLastNumber); }

struct TimeOfDay {
  unsigned hour;
  unsigned minute;
  unsigned second;

  explicit TimeOfDay(seconds since_midnight)
      : hour(static_cast<unsigned>(since_midnight.count() / 3600)),
        minute(static_cast<unsigned>(since_midnight.count() / 60 % 60)),
        second(static_cast<unsigned>(since_midnight.count() % 60)) {}
};

seconds time_of(unsigned hour, unsigned minute, unsigned second) {
  return seconds((static_cast<std::int64_t>(hour) * 60 + minute) * 60 + second);
}

local_days new_year(year of) { return local_days(of / std::chrono::January / 1); }

year year_of(local_days day) { return std::chrono::year_month_day(day).year(); }

}  // namespace

Calendar::Calendar(const Expression& expression)
    : seconds_(expression.seconds), minutes_(expression.minutes), hours_(expression.hours) {
  bool has_day = false;
  for (unsigned kind = 0; kind < days_.size(); ++kind) {
    for_each_day(kind % 7, kind >= 7, [&](unsigned place, const Day& day) {
      if (!matches(expression, day)) return;
      days_[kind][place / 64] |= std::uint64_t{1} << place % 64;
      has_day = true;
    });
  }
  is_empty_ = !has_day || seconds_ == 0 || minutes_ == 0 || hours_ == 0;
}

const Calendar::YearDays& Calendar::days_of(year of) const {
  const auto weekday = std::chrono::weekday(new_year(of)).c_encoding();
  return days_[weekday + (of.is_leap() ? 7 : 0)];
}

std::optional<local_days> Calendar::next_day(local_days from) const {
  auto of = year_of(from);
  auto place = static_cast<unsigned>((from - new_year(of)).count());
  for (int n = 0; n <= kYearsAround; ++n, ++of, place = 0) {
    const auto& matching = days_of(of);
    for (auto word = place / 64; word < matching.size(); ++word) {
      const auto bit = first_from(matching[word], word == place / 64 ? place % 64 : 0);
      if (bit) return new_year(of) + days(word * 64 + *bit);
    }
  }
  return std::nullopt;
}

std::optional<local_days> Calendar::previous_day(local_days until) const {
  constexpr unsigned kLastPlace = 365;
  auto of = year_of(until);
  auto place = static_cast<unsigned>((until - new_year(of)).count());
  for (int n = 0; n <= kYearsAround; ++n, --of, place = kLastPlace) {
    const auto& matching = days_of(of);
    for (auto word = place / 64 + 1; word-- > 0;) {
      const auto bit = last_until(matching[word], word == place / 64 ? place % 64 : kLastNumber);
      if (bit) return new_year(of) + days(word * 64 + *bit);
    }
  }
  return std::nullopt;
}

std::optional<seconds> Calendar::time_from(seconds since_midnight) const {
  const TimeOfDay from(since_midnight);
  if (has(hours_, from.hour)) {
    if (has(minutes_, from.minute)) {
      const auto second = first_from(seconds_, from.second);
      if (second) return time_of(from.hour, from.minute, *second);
    }
    const auto minute = first_from(minutes_, from.minute + 1);
    if (minute) return time_of(from.hour, *minute, lowest(seconds_));
  }
  const auto hour = first_from(hours_, from.hour + 1);
  if (!hour) return std::nullopt;
  return time_of(*hour, lowest(minutes_), lowest(seconds_));
}

std::optional<seconds> Calendar::time_until(seconds since_midnight) const {
  const TimeOfDay until(since_midnight);
  if (has(hours_, until.hour)) {
    if (has(minutes_, until.minute)) {
      const auto second = last_until(seconds_, until.second);
      if (second) return time_of(until.hour, until.minute, *second);
    }
    const auto minute = last_below(minutes_, until.minute);
    if (minute) return time_of(until.hour, *minute, highest(seconds_));
  }
  const auto hour = last_below(hours_, until.hour);
  if (!hour) return std::nullopt;
  return time_of(*hour, highest(minutes_), highest(seconds_));
}

std::optional<Wall> Calendar::next(Wall from) const {
  if (is_empty_) return std::nullopt;
  const auto today = std::chrono::floor<days>(from);
  auto day = next_day(today);
  if (day == today) {
    if (const auto time = time_from(from - today)) return today + *time;
    day = next_day(today + days(1));
  }
  if (!day) return std::nullopt;
  return *day + time_of(lowest(hours_), lowest(minutes_), lowest(seconds_));
}

std::optional<Wall> Calendar::previous(Wall until) const {
  if (is_empty_) return std::nullopt;
  const auto today = std::chrono::floor<days>(until);
  auto day = previous_day(today);
  if (day == today) {
    if (const auto time = time_until(until - today)) return today + *time;
    day = previous_day(today - days(1));
  }
  if (!day) return std::nullopt;
  return *day + time_of(highest(hours_), highest(minutes_), highest(seconds_));
}

}  // namespace lockkeeper::cron
