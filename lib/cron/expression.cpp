// SPDX-License-Identifier: Apache-2.0
//
// Names of days and months are replaced wherever they stand, also within a word, and before
// anything else is read: so do the workers. Each part of a list is then told by the first of
// / - w l that it contains.
#include "cron/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cron/words.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::cron {
namespace {

struct FieldRule {
  std::string_view word;
  unsigned first;
  unsigned last;
  std::string_view names = {};  // that may stand for numbers
};

constexpr FieldRule kSecond{"second", 0, 59};
constexpr FieldRule kMinute{"minute", 0, 59};
constexpr FieldRule kHour{"hour", 0, 23};
constexpr FieldRule kDay{"day of month", 1, 31};
constexpr FieldRule kMonth{"month", 1, 12, ", or jan to dec"};
constexpr FieldRule kWeekday{"day of week", 0, 7, ", or sun to sat"};
constexpr const FieldRule* kRules[] = {&kSecond, &kMinute, &kHour, &kDay, &kMonth, &kWeekday};

constexpr std::pair<std::string_view, std::string_view> kNicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@hourly", "0 * * * *"},
};

bool contains(std::string_view text, char letter) {
  return text.find(letter) != std::string_view::npos;
}

// What a field says.
struct Field {
  Numbers values = 0;
  Numbers closest = 0;
  Numbers last = 0;
  std::array<Numbers, 6> nth{};
  bool has_l = false;
  bool is_star = false;
};

// Reads one part of a list into its field.
class Part {
 public:
  Part(const FieldRule& rule, Word word, Field& field)
      : rule_(rule), word_(word), text_(without_names(word.text)), field_(field) {}

  void read();

 private:
  void read_step();
  void read_range();
  void read_closest();
  void read_number();
  Numbers& chosen();
  std::string_view plain() const { return std::string_view(text_).substr(0, text_.find('#')); }
  void set(unsigned first, unsigned last, unsigned step);
  std::pair<unsigned, unsigned> bounds(std::string_view text, std::string_view how) const;
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void refuse_number() const;
  bool is_weekday() const { return &rule_ == &kWeekday; }

  const FieldRule& rule_;
  Word word_;
  std::string text_;
  Field& field_;
};

void Part::fail(const std::string& what) const {
  constexpr std::size_t kShown = 40;
  throw ExpressionError(fmt::format("{} {} at character {}: {}", rule_.word,
                                    logging::quoted(word_.text.substr(0, kShown)), word_.place,
                                    what));
}

void Part::refuse_number() const {
  fail(fmt::format("write a number from {} to {}{}", rule_.first, rule_.last, rule_.names));
}

void Part::read() {
  if (contains(text_, '/')) return read_step();
  if (contains(text_, '-')) return read_range();
  if (contains(text_, 'w')) return read_closest();
  if (text_ != "l") return read_number();
  field_.has_l = true;
}

// The set that is meant by what stands behind the numbers.
Numbers& Part::chosen() {
  if (text_.ends_with('l')) return field_.last;
  const auto mark = text_.find('#');
  if (mark == std::string::npos) return field_.values;
  const auto nth = number_of(std::string_view(text_).substr(mark + 1));
  if (!is_weekday() || !nth || *nth < 1 || *nth > 5) {
    fail("# is for the day of week, with a number from 1 to 5 behind it, such as 5#2");
  }
  return field_.nth[*nth];
}

void Part::set(unsigned first, unsigned last, unsigned step) {
  auto& set = chosen();
  for (auto value = first; value <= last; value += step) {
    set |= Numbers{1} << value;
    if (value + step > kLargest) {
      fail(fmt::format("the step is too long; write {} for that one value", first));
    }
  }
}

std::pair<unsigned, unsigned> Part::bounds(std::string_view text, std::string_view how) const {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) fail(std::string(how));
  const auto first = number_of(text.substr(0, dash));
  const auto last = number_of(text.substr(dash + 1));
  if (!first || !last) fail(std::string(how));
  if (*first < rule_.first || *first > rule_.last || *last < rule_.first || *last > rule_.last) {
    refuse_number();
  }
  if (*first > *last) {
    fail(fmt::format("a range goes up; write {}-{},{}-{}", *first, rule_.last, rule_.first, *last));
  }
  return {*first, *last};
}

void Part::read_step() {
  constexpr auto kHow = "write */n, a/n or a-b/n, with a step n from 1 to 255";
  const auto slash = plain().find('/');
  const auto base = plain().substr(0, slash);
  const auto step =
      slash == std::string_view::npos ? std::nullopt : number_of(plain().substr(slash + 1));
  if (!step || *step == 0) fail(kHow);
  if (base == "*") return set(rule_.first, rule_.last, *step);
  if (contains(base, '-')) {
    const auto [first, last] = bounds(base, kHow);
    return set(first, last, *step);
  }
  const auto first = number_of(base);
  if (!first) fail(kHow);
  if (*first < rule_.first || *first > rule_.last) refuse_number();
  set(*first, rule_.last, *step);
}

void Part::read_range() {
  const auto [first, last] = bounds(plain(), "write a range of two numbers, such as 1-5");
  set(first, last, 1);
}

// What stands behind the w is not looked at.
void Part::read_closest() {
  const auto day = number_of(std::string_view(text_).substr(0, text_.find('w')));
  if (&rule_ != &kDay || !day || *day < rule_.first || *day > rule_.last) {
    fail("W is for the day of month, behind one day, such as 15W");
  }
  field_.closest |= Numbers{1} << *day;
}

void Part::read_number() {
  const bool is_special = contains(text_, '#') || contains(text_, 'l');
  if (is_special && !is_weekday()) fail("# and L behind a number are for the day of week");
  auto number_text = plain();
  // 5L is short for 5#L.
  const bool is_short = !contains(text_, '#') && number_text.ends_with('l');
  if (is_short) number_text = number_text.substr(0, number_text.find('l'));
  const auto number = number_of(number_text);
  if (!number || *number < rule_.first || *number > rule_.last) refuse_number();
  set(*number, *number, 1);
}

Field read_field(const FieldRule& rule, Word word) {
  Field field;
  if (without_names(word.text) == "*") {
    field.is_star = true;
    for (auto value = rule.first; value <= rule.last; ++value) field.values |= Numbers{1} << value;
    return field;
  }
  while (true) {
    const auto comma = word.text.find(',');
    const Word part{word.text.substr(0, comma), word.place};
    if (!part.text.empty()) Part(rule, part, field).read();
    if (comma == std::string_view::npos) return field;
    word = {word.text.substr(comma + 1), word.place + comma + 1};
  }
}

std::string_view spelled_out(std::string_view text, const std::vector<Word>& words) {
  if (words.size() != 1) return text;
  const auto word = lower(words.front().text);
  for (const auto& [nickname, meaning] : kNicknames) {
    if (word == nickname) return meaning;
  }
  return text;
}

[[noreturn]] void refuse_count(const std::vector<Word>& words) {
  constexpr auto kHow =
      "write five (minute, hour, day of month, month, day of week) or six with the second in front";
  if (words.empty()) throw ExpressionError(fmt::format("it has no fields; {}", kHow));
  if (words.front().text.starts_with('@')) {
    throw ExpressionError(
        fmt::format("{} is not known; write @yearly, @annually, @monthly, @weekly, @daily, "
                    "@hourly, or fields",
                    logging::quoted(words.front().text.substr(0, 40))));
  }
  throw ExpressionError(
      fmt::format("it has {} field{}; {}", words.size(), words.size() == 1 ? "" : "s", kHow));
}

// Sunday may be written as 7, but "the last seventh day" is nobody's.
Numbers fold_sunday(Numbers weekdays) {
  constexpr Numbers kSeven = Numbers{1} << 7;
  return (weekdays & kSeven) != 0 ? (weekdays & ~kSeven) | 1 : weekdays;
}

}  // namespace

Expression parse(std::string_view text) {
  auto words = words_of(text);
  words = words_of(spelled_out(text, words));
  if (words.size() < 5 || words.size() > 6) refuse_count(words);
  if (words.size() == 5) words.insert(words.begin(), Word{"0", 1});
  std::array<Field, 6> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) fields[i] = read_field(*kRules[i], words[i]);
  const auto& [second, minute, hour, day, month, weekday] = fields;
  Expression expression;
  expression.seconds = second.values;
  expression.minutes = minute.values;
  expression.hours = hour.values;
  expression.months = month.values;
  expression.days = day.values;
  expression.closest_days = day.closest;
  expression.has_last_day = day.has_l;
  expression.is_any_day = day.is_star;
  expression.weekdays = fold_sunday(weekday.values);
  for (std::size_t n = 1; n <= 5; ++n) expression.nth_weekdays[n] = fold_sunday(weekday.nth[n]);
  expression.last_weekdays = weekday.last;
  expression.is_any_weekday = weekday.is_star;
  return expression;
}

}  // namespace lockkeeper::cron
