// SPDX-License-Identifier: Apache-2.0
//
// Parameters and results of statements, in PostgreSQL's text format.
//
// A Parameter is made from a C++ value and is a class with a constructor on purpose: an
// aggregate temporary inside a co_await expression is destroyed twice by g++ 12.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "time/clock.hpp"

struct pg_result;

namespace lockkeeper::pg {

class Parameter {
 public:
  Parameter(std::nullopt_t) {}
  Parameter(bool value) : text_(value ? "t" : "f") {}
  template <typename T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Parameter(T value)
      : text_(std::to_string(value)) {}
  Parameter(double value);
  Parameter(const char* value) : text_(value) {}
  Parameter(std::string_view value) : text_(value) {}
  Parameter(const std::string& value) : text_(value) {}
  Parameter(time::Duration value);                     // interval, exact to the microsecond
  Parameter(const std::vector<std::int64_t>& values);  // array literal
  Parameter(const std::vector<std::string>& values);   // array literal, quoted
  Parameter(const std::optional<time::Duration>& value) {
    if (value) *this = Parameter(*value);
  }

  const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;  // empty means NULL
};

// Rows of one statement. Cheap to copy; the rows are shared and immutable. Columns are
// addressed by number. Reading a NULL or a text that is not of the asked type throws
// pg::Error with SQLSTATE 22000, also for a NULL within an array: it is a defect of the statement,
// not of the database.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* owned);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::size_t bytes() const;  // that the server sent for them

  bool is_null(std::size_t row, std::size_t column) const;
  std::string_view text(std::size_t row, std::size_t column) const;
  std::int64_t integer(std::size_t row, std::size_t column) const;
  double real(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const;
  std::vector<std::int64_t> integers(std::size_t row,
                                     std::size_t column) const;               // int[] / bigint[]
  std::vector<std::string> texts(std::size_t row, std::size_t column) const;  // text[]

 private:
  std::shared_ptr<pg_result> result_;
};

}  // namespace lockkeeper::pg
