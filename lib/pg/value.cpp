// SPDX-License-Identifier: Apache-2.0
#include "pg/value.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <charconv>

#include "pg/reply.hpp"

namespace lockkeeper::pg {
namespace {

[[noreturn]] void misread(std::string_view what) {
  throw Error(SqlState("22000"), fmt::format("a result column is not {}", what));
}

std::string array_element(const std::string& value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

template <typename T>
T number(std::string_view text, std::string_view what) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) misread(what);
  return value;
}

// Takes "b \"c\"" from the front, unescaped.
std::string take_quoted(std::string_view& text) {
  std::string element;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return element;
    }
    if (text[i] == '\\' && ++i == text.size()) break;
    element += text[i];
  }
  misread("an array");
}

// Takes what stands before the next comma.
std::string take_bare(std::string_view& text) {
  const auto element = text.substr(0, text.find(','));
  text.remove_prefix(element.size());
  if (element == "NULL") misread("an array without NULL");
  if (element.empty() || element.front() == '{') misread("an array of one dimension");
  return std::string(element);
}

// Splits {a,"b \"c\""} into its elements, unescaped. One dimension, which is all we ask for.
std::vector<std::string> array_elements(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') misread("an array");
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> elements;
  if (text.empty()) return elements;
  while (true) {
    const bool is_quoted = text.starts_with('"');
    elements.push_back(is_quoted ? take_quoted(text) : take_bare(text));
    if (text.empty()) return elements;
    if (text.front() != ',') misread("an array");
    text.remove_prefix(1);
  }
}

}  // namespace

Parameter::Parameter(double value) : text_(fmt::format("{}", value)) {}

// In hours, because a number of microseconds overflows in older servers.
Parameter::Parameter(time::Duration value) {
  using namespace std::chrono;
  const hh_mm_ss time(duration_cast<microseconds>(value));
  text_ = fmt::format("{}{}:{:02}:{:02}.{:06}", time.is_negative() ? "-" : "", time.hours().count(),
                      time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

Parameter::Parameter(const std::vector<std::int64_t>& values)
    : text_(fmt::format("{{{}}}", fmt::join(values, ","))) {}

Parameter::Parameter(const std::vector<std::string>& values) {
  std::string array = "{";
  for (const auto& value : values) {
    if (array.size() > 1) array += ',';
    array += array_element(value);
  }
  text_ = array + '}';
}

Rows::Rows(pg_result* owned) : result_(owned, [](pg_result* result) { PQclear(result); }) {}

std::size_t Rows::size() const {
  return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
}

std::size_t Rows::bytes() const {
  constexpr std::size_t kRow = 7;  // of the protocol, besides the values
  constexpr std::size_t kValue = 4;
  std::size_t bytes = 0;
  const int columns = result_ ? PQnfields(result_.get()) : 0;
  for (int row = 0; row < static_cast<int>(size()); ++row) {
    bytes += kRow;
    for (int column = 0; column < columns; ++column) {
      bytes += kValue + static_cast<std::size_t>(PQgetlength(result_.get(), row, column));
    }
  }
  return bytes;
}

bool Rows::is_null(std::size_t row, std::size_t column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view Rows::text(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) misread("present");
  const auto r = static_cast<int>(row);
  const auto c = static_cast<int>(column);
  return {PQgetvalue(result_.get(), r, c),
          static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  return number<std::int64_t>(text(row, column), "an integer");
}

double Rows::real(std::size_t row, std::size_t column) const {
  return number<double>(text(row, column), "a number");
}

bool Rows::boolean(std::size_t row, std::size_t column) const {
  const auto value = text(row, column);
  if (value != "t" && value != "f") misread("a boolean");
  return value == "t";
}

std::vector<std::int64_t> Rows::integers(std::size_t row, std::size_t column) const {
  std::vector<std::int64_t> values;
  for (const auto& element : array_elements(text(row, column))) {
    values.push_back(number<std::int64_t>(element, "an array of integers"));
  }
  return values;
}

std::vector<std::string> Rows::texts(std::size_t row, std::size_t column) const {
  return array_elements(text(row, column));
}

}  // namespace lockkeeper::pg
