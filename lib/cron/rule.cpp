// SPDX-License-Identifier: Apache-2.0
#include "cron/rule.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

namespace lockkeeper::cron {

using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

// Reads front to back; whatever does not fit leaves it broken.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  std::optional<Rule> read();

 private:
  using Change = Rule::Change;

  bool take(char letter);
  void read_name();
  std::int64_t read_number();
  seconds read_time();
  Change read_change();
  bool is_number_next() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }

  std::string_view rest_;
  bool is_broken_ = false;
};

bool RuleReader::take(char letter) {
  if (!rest_.starts_with(letter)) return false;
  rest_.remove_prefix(1);
  return true;
}

void RuleReader::read_name() {
  if (take('<')) {
    rest_.remove_prefix(std::min(rest_.find('>'), rest_.size()));
    is_broken_ |= !take('>');
    return;
  }
  const auto end = std::find_if(rest_.begin(), rest_.end(), [](char letter) {
    return (letter < 'a' || letter > 'z') && (letter < 'A' || letter > 'Z');
  });
  is_broken_ |= end == rest_.begin();
  rest_.remove_prefix(static_cast<std::size_t>(end - rest_.begin()));
}

std::int64_t RuleReader::read_number() {
  std::int64_t number = 0;
  is_broken_ |= !is_number_next();
  for (int digits = 0; is_number_next() && digits < 4; ++digits) {
    number = number * 10 + (rest_[0] - '0');
    rest_.remove_prefix(1);
  }
  return number;
}

seconds RuleReader::read_time() {
  const bool is_negative = take('-');
  if (!is_negative) take('+');
  seconds time = std::chrono::hours(read_number());
  if (take(':')) time += std::chrono::minutes(read_number());
  if (take(':')) time += seconds(read_number());
  return is_negative ? -time : time;
}

Rule::Change RuleReader::read_change() {
  Change change;
  is_broken_ |= !take(',');
  if (take('M')) {
    change.month = read_number();
    is_broken_ |= !take('.');
    change.week = read_number();
    is_broken_ |= !take('.');
    is_broken_ |= change.month < 1 || change.month > 12 || change.week < 1 || change.week > 5;
  } else {
    change.kind = take('J') ? Change::Kind::day_without_29_february : Change::Kind::day_of_year;
  }
  change.day = read_number();
  if (take('/')) change.time = read_time();
  return change;
}

std::optional<Rule> RuleReader::read() {
  read_name();
  const auto standard = -read_time();
  if (is_broken_ || rest_.empty()) return std::nullopt;
  read_name();
  const bool has_own = !rest_.empty() && rest_[0] != ',';
  const auto summer = has_own ? -read_time() : standard + std::chrono::hours(1);
  Rule rule;
  for (auto& change : rule.changes_) change = read_change();
  if (is_broken_ || !rest_.empty()) return std::nullopt;
  std::tie(rule.changes_[0].before, rule.changes_[0].after) = std::pair(standard, summer);
  std::tie(rule.changes_[1].before, rule.changes_[1].after) = std::pair(summer, standard);
  return rule;
}

std::optional<Rule> Rule::parse(std::string_view text) { return RuleReader(text).read(); }

sys_seconds Rule::Change::in(std::chrono::year year) const {
  using std::chrono::days;
  using std::chrono::weekday;
  const auto new_year = sys_days(year / std::chrono::January / 1);
  constexpr auto kDaysToMarch = 60;  // 1 March, where there is no 29 February
  auto date = new_year + days(day);
  if (kind == Kind::day_without_29_february) {
    date = new_year + days(day - 1 + (year.is_leap() && day >= kDaysToMarch ? 1 : 0));
  }
  if (kind == Kind::weekday_of_month) {
    const auto in_month = year / std::chrono::month(static_cast<unsigned>(month));
    const weekday wanted(static_cast<unsigned>(day));
    date = week == 5 ? sys_days(in_month / wanted[std::chrono::last])
                     : sys_days(in_month / wanted[static_cast<unsigned>(week)]);
  }
  return date + time - before;
}

Period Rule::at(sys_seconds instant) const {
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(instant));
  std::vector<std::pair<sys_seconds, seconds>> all;
  for (int year = -2; year <= 2; ++year) {
    for (const auto& change : changes_) {
      all.emplace_back(change.in(today.year() + std::chrono::years(year)), change.after);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  const auto next =
      std::upper_bound(all.begin(), all.end(), instant,
                       [](sys_seconds time, const auto& change) { return time < change.first; });
  const auto last = std::prev(next);
  return {last->first, next->first, last->second};
}

}  // namespace lockkeeper::cron
