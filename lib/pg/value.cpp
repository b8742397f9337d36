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

// Splits {a,"b \"c\"",NULL} into its elements, unescaped. One dimension, which is all we ask for.
std::vector<std::string> array_elements(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') misread("an array");
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> elements;
  if (text.empty()) return elements;
  std::string element;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == '\\') {
      if (++i == text.size()) misread("an array");
      element += text[i];
    } else if (text[i] == ',' && !is_quoted) {
      elements.push_back(std::move(element));
      element.clear();
    } else {
      element += text[i];
    }
  }
  elements.push_back(std::move(element));
  return elements;
}

}  // namespace

Parameter::Parameter(double value) : text_(fmt::format("{}", value)) {}

Parameter::Parameter(time::Duration value)
    : text_(fmt::format("{} microseconds",
                        std::chrono::duration_cast<std::chrono::microseconds>(value).count())) {}

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
