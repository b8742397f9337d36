// SPDX-License-Identifier: Apache-2.0
//
// All that a branch body may touch: its settings, the planes, statements, turns, its memory
// between passes and its report.
//
// A body starts with a turn in hand. Everything that waits is awaited:
//   rows  = co_await ctx.query("queue/x", a, b)    one statement, its own transaction; throws
//   reply = co_await ctx.attempt("queue/x", a, b)  the same, where "no" is a normal answer
//   tx = ctx.begin(lock_timeout); co_await tx.query(…); co_await tx.commit();
//   co_await ctx.breathe(shape)                    gives the turn back, takes a new one
// A transaction ends with the turn: what is not committed by then is rolled back. When a
// hygiene turn is taken back, the statement that waits, or the next one, throws pg::Error
// with state 57014; the body lets it pass and is run again with the same due time.
// After co_await, round brackets only (see coro/task.hpp). Loop thread only.
#pragma once

#include <any>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "awa/planes.hpp"
#include "awa/sql.hpp"
#include "branches/awaitables.hpp"
#include "branches/report.hpp"
#include "branches/turn.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"
#include "time/clock.hpp"

namespace lockkeeper::branches {

using SettingValue = std::variant<bool, std::int64_t, time::Duration, std::string>;
using SettingValues = std::map<std::string, SettingValue, std::less<>>;
// By queue, what differs there from the rest.
using QueueSettings = std::map<std::string, SettingValues, std::less<>>;

class BranchContext {
 public:
  BranchContext(Turn& turn, awa::Library& library, const SettingValues& settings,
                const QueueSettings& queues, Report& report);

  bool is_on(std::string_view setting) const;
  std::int64_t integer(std::string_view setting) const;
  time::Duration duration(std::string_view setting) const;
  const std::string& word(std::string_view setting) const;
  // What the operator has said about single queues; a key that is not there is as above.
  const QueueSettings& queues() const { return queues_; }

  // The cron schedules that the operator's file declares.
  std::span<const config::Declaration> declared() const { return declared_; }
  void set_declared(std::span<const config::Declaration> declared) { declared_ = declared; }

  const awa::Planes& planes() const { return *planes_; }
  void set_planes(const awa::Planes& planes) { planes_ = &planes; }

  template <typename... Values>
  Query query(const awa::Sql& sql, Values... values) {
    return Query(*this, single(call(sql, {pg::Parameter(values)...})));
  }
  template <typename... Values>
  Ask attempt(const awa::Sql& sql, Values... values) {
    return Ask(*this, single(call(sql, {pg::Parameter(values)...})));
  }
  Transaction begin(std::optional<time::Duration> lock_timeout = {},
                    std::optional<time::Duration> statement_limit = {}) {
    return Transaction(*this, lock_timeout, statement_limit);
  }
  Breath breathe(TurnShape shape = {}) { return Breath(*this, shape); }

  Report& report() { return report_; }

  // What the branch remembers from pass to pass while this process leads; made on first use,
  // forgotten at the next election.
  template <typename T, typename... Arguments>
  T& memory(const Arguments&... arguments) {
    if (!memory_.has_value()) memory_.emplace<T>(arguments...);
    return std::any_cast<T&>(memory_);
  }

  // The due time this pass answers; the same again after the pass was taken back.
  time::TimePoint due() const { return due_; }
  void set_due(time::TimePoint due);

  // Rows moved, rescued, deleted … for this due time. A body says so as soon as they are committed,
  // so that they count whatever becomes of the rest of the pass.
  void moved(std::int64_t rows) { moved_ += rows; }
  std::int64_t rows_moved() const { return moved_; }

  // For logs and /status: the statement that is waited for at the moment, or "".
  std::string_view waiting_for() const { return waiting_for_; }

  pg::Call call(const awa::Sql& sql, std::vector<pg::Parameter> parameters);
  static pg::Pipeline single(pg::Call call);
  Turn& turn() { return turn_; }

 private:
  friend class Ask;
  Turn& turn_;
  awa::Library& library_;
  const SettingValues& settings_;
  const QueueSettings& queues_;
  Report& report_;
  std::span<const config::Declaration> declared_;
  const awa::Planes* planes_ = nullptr;
  std::any memory_;
  time::TimePoint due_{};
  std::int64_t moved_ = 0;
  std::string waiting_for_;
};

}  // namespace lockkeeper::branches
