// SPDX-License-Identifier: Apache-2.0
//
// What the server, or the state of the connection, said to one statement. Errors are values
// here; a branch body turns the unexpected ones into the exception pg::Error.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pg/value.hpp"

namespace lockkeeper::pg {

// A five-character SQLSTATE; empty means success. Our own two, made by the client:
// "08006" the connection is gone, "57014" the turn was taken back before the statement left.
class SqlState {
 public:
  SqlState() = default;
  explicit SqlState(std::string_view code) : code_(code) {}

  bool is_success() const { return code_.empty(); }
  bool is(std::string_view code) const { return code_ == code; }
  bool is_class(std::string_view two) const { return code_.starts_with(two); }

  bool is_lock_not_available() const { return is("55P03"); }
  bool is_cancelled() const { return is("57014"); }
  bool is_missing_object() const {
    return is("42P01") || is("3F000") || is("42883") || is("42703");
  }
  bool is_missing_privilege() const { return is("42501"); }
  bool is_retryable() const { return is("40001") || is("40P01"); }
  bool is_connection_lost() const { return is_class("08") || is_class("57P"); }

  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

struct Reply {
  SqlState state;
  bool skipped = false;    // not executed, because an earlier statement of the pipeline failed
  std::string message;     // the server's primary message; may quote row contents
  std::string constraint;  // name of the violated constraint, if any
  std::int64_t affected = 0;
  Rows rows;

  bool ok() const { return state.is_success() && !skipped; }
};

class Error : public std::runtime_error {
 public:
  Error(SqlState state, const std::string& what, std::string constraint = {})
      : std::runtime_error(what), state_(std::move(state)), constraint_(std::move(constraint)) {}
  const SqlState& state() const { return state_; }
  const std::string& constraint() const { return constraint_; }

 private:
  SqlState state_;
  std::string constraint_;
};

}  // namespace lockkeeper::pg
