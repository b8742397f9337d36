// SPDX-License-Identifier: Apache-2.0
#include "time/duration.hpp"

#include <array>
#include <limits>

namespace lockkeeper::time {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t nanoseconds;
};

// Longest first, so that 1500 ms is written as 1.5s.
constexpr std::array kUnits = {
    Unit{"d", 86'400'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"us", 1'000},
    Unit{"ns", 1},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// digits × scale, exactly; empty on overflow.
std::optional<std::int64_t> scaled(std::string_view digits, std::int64_t scale) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  for (const char digit : digits) {
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, digit - '0', &value)) return std::nullopt;
  }
  if (value > kMost / scale) return std::nullopt;
  return value * scale;
}

// .digits of a unit, exactly; empty when it is not a whole number of nanoseconds.
std::optional<std::int64_t> fraction(std::string_view digits, std::int64_t scale) {
  std::int64_t value = 0;
  for (const char digit : digits) {
    if ((scale == 0 || scale % 10 != 0) && digit != '0') return std::nullopt;
    scale /= 10;
    value += scale * (digit - '0');
  }
  return value;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto whole = take_digits(text);
  if (whole.empty()) return std::nullopt;
  std::string_view decimals;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimals = take_digits(text);
    if (decimals.empty()) return std::nullopt;
  }
  for (const auto& unit : kUnits) {
    if (text != unit.suffix) continue;
    const auto base = scaled(whole, unit.nanoseconds);
    const auto rest = fraction(decimals, unit.nanoseconds);
    std::int64_t sum = 0;
    if (!base || !rest || __builtin_add_overflow(*base, *rest, &sum)) return std::nullopt;
    return Duration(sum);
  }
  return std::nullopt;
}

std::string format_duration(Duration duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  std::string shortest;
  for (const auto& unit : kUnits) {
    if (count < unit.nanoseconds) continue;
    auto text = std::to_string(count / unit.nanoseconds);
    auto rest = count % unit.nanoseconds;
    auto scale = unit.nanoseconds;
    if (rest != 0) text += '.';
    while (rest != 0 && scale % 10 == 0) {
      scale /= 10;
      text += static_cast<char>('0' + rest / scale);
      rest %= scale;
    }
    if (rest != 0) continue;
    text += unit.suffix;
    if (shortest.empty() || text.size() < shortest.size()) shortest = text;
  }
  return shortest;
}

}  // namespace lockkeeper::time
