// SPDX-License-Identifier: Apache-2.0
//
// What a branch body waits for: the reply to a statement, and the next turn. Made by
// BranchContext and Transaction, awaited at once, and never kept.
// Classes with constructors on purpose, see coro/task.hpp. Loop thread only.
#pragma once

#include <coroutine>
#include <optional>
#include <vector>

#include "awa/sql.hpp"
#include "branches/turn.hpp"
#include "pg/reply.hpp"
#include "pg/session.hpp"
#include "time/clock.hpp"

namespace lockkeeper::scheduling {
class Pace;
}

namespace lockkeeper::branches {

class BranchContext;
class Paced;

// Awaits the reply to the last statement of a pipeline.
class Ask {
 public:
  Ask(BranchContext& ctx, pg::Pipeline pipeline);
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  pg::Reply await_resume();  // never throws for an error of the server; throws on 57014 and 08…

 protected:
  BranchContext& ctx_;
  pg::Pipeline pipeline_;
  pg::Replies replies_;
};

// The same, but any error is thrown as pg::Error with the statement's name in front.
class Query : public Ask {
 public:
  using Ask::Ask;
  pg::Rows await_resume();

  // The same, and the pace learns how long it takes for so many rows, or that they were too many.
  Paced paced(scheduling::Pace& pace, std::int64_t rows) &&;
};

class Paced : public Query {
 public:
  Paced(Query query, scheduling::Pace& pace, std::int64_t rows);
  void await_suspend(std::coroutine_handle<> waiter);
  pg::Rows await_resume();

 private:
  scheduling::Pace& pace_;
  std::int64_t rows_;
  time::TimePoint began_{};
};

// Awaits the next turn.
class Breath {
 public:
  Breath(BranchContext& ctx, TurnShape shape) : ctx_(ctx), shape_(shape) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  void await_resume() const noexcept {}

 private:
  BranchContext& ctx_;
  TurnShape shape_;
};

// Statements that happen together or not at all. It ends with the turn: what is not committed
// by then is rolled back.
class Transaction {
 public:
  // BEGIN and the limits that differ from the session's travel with the first statement.
  Transaction(BranchContext& ctx, std::optional<time::Duration> lock_timeout,
              std::optional<time::Duration> statement_limit);

  template <typename... Values>
  Query query(const awa::Sql& sql, Values... values) {
    return Query(ctx_, opened(sql, {pg::Parameter(values)...}));
  }
  template <typename... Values>
  Ask attempt(const awa::Sql& sql, Values... values) {
    return Ask(ctx_, opened(sql, {pg::Parameter(values)...}));
  }

  // Sent in front of the next statement or the commit, in the same round trip, and so may several
  // be. Their rows are not looked at.
  template <typename... Values>
  void ahead(const awa::Sql& sql, Values... values) {
    ahead_ = opened(sql, {pg::Parameter(values)...});
  }

  // From here to the end of the turn nothing takes it back. Call before a TRUNCATE; commit()
  // calls it too. Throws pg::Error 57014 when the turn has already been taken back.
  void shield();
  Query commit();

  // For a transaction that notifies: its commit waits for every other one in the server that
  // does, which may take as long as somebody's disk or standby. That is waited for in spite of
  // lock_timeout, and nobody waits for us there whom we wait for.
  Query notify_and_commit();

 private:
  pg::Pipeline opened(const awa::Sql& sql, std::vector<pg::Parameter> parameters);

  BranchContext& ctx_;
  std::optional<time::Duration> lock_timeout_;
  std::optional<time::Duration> statement_limit_;
  bool is_open_ = false;
  pg::Pipeline ahead_;
};

}  // namespace lockkeeper::branches
