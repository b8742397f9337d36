// SPDX-License-Identifier: Apache-2.0
#include "branches/awaitables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "branches/context.hpp"
#include "logging/quote.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {
namespace {

// The server repeats what it cannot read, however long that is.
constexpr std::size_t kLongestMessage = 1000;

std::shared_ptr<const pg::Statement> unprepared(std::string text) {
  return std::make_shared<const pg::Statement>(pg::Statement{"", std::move(text)});
}

const auto kBegin = unprepared("BEGIN");
const auto kCommit = unprepared("COMMIT");
const auto kWaitForLocks = unprepared("SET LOCAL lock_timeout = 0");

// Until the end of the transaction. Zero would mean no limit at all.
pg::Call set_limit(const char* name, time::Duration limit) {
  const auto whole = std::max(std::chrono::milliseconds(1),
                              std::chrono::duration_cast<std::chrono::milliseconds>(limit));
  return {unprepared(fmt::format("SET LOCAL {} = {}", name, whole.count())), {}};
}

// The first reply that failed, or the last one: what the caller asked is always last, and what
// stands before it (BEGIN, SET) speaks only when it fails.
pg::Reply decisive(pg::Replies replies) {
  for (auto& reply : replies) {
    if (!reply.ok()) return std::move(reply);
  }
  return std::move(replies.back());
}

pg::Error error_of(const pg::Reply& reply, std::string_view statement) {
  const auto message = logging::shortened(reply.message, kLongestMessage);
  return pg::Error(reply.state, fmt::format("{}: {} ({})", statement, message, reply.state.code()),
                   reply.constraint);
}

}  // namespace

Ask::Ask(BranchContext& ctx, pg::Pipeline pipeline) : ctx_(ctx), pipeline_(std::move(pipeline)) {}

void Ask::await_suspend(std::coroutine_handle<> waiter) {
  const auto& last = *pipeline_.back().statement;
  ctx_.waiting_for_ = last.name.empty() ? last.text : last.name;
  ctx_.turn_.send(std::move(pipeline_), [this, waiter](pg::Replies replies) {
    replies_ = std::move(replies);
    waiter.resume();
  });
}

pg::Reply Ask::await_resume() {
  auto reply = decisive(std::move(replies_));
  const std::string statement(ctx_.waiting_for_);
  ctx_.waiting_for_.clear();
  if (reply.state.is_cancelled() || reply.state.is_connection_lost()) {
    throw error_of(reply, statement);
  }
  return reply;
}

pg::Rows Query::await_resume() {
  const std::string statement(ctx_.waiting_for());
  const auto reply = Ask::await_resume();
  if (!reply.ok()) throw error_of(reply, statement);
  return reply.rows;
}

Paced Query::paced(scheduling::Pace& pace, std::int64_t rows) && {
  return Paced(std::move(*this), pace, rows);
}

Paced::Paced(Query query, scheduling::Pace& pace, std::int64_t rows)
    : Query(std::move(query)), pace_(pace), rows_(rows) {}

void Paced::await_suspend(std::coroutine_handle<> waiter) {
  began_ = time::SteadyClock().now();
  Query::await_suspend(waiter);
}

pg::Rows Paced::await_resume() {
  try {
    auto rows = Query::await_resume();
    pace_.took(rows_, time::SteadyClock().now() - began_);
    return rows;
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) pace_.cut_short();
    throw;
  }
}

void Breath::await_suspend(std::coroutine_handle<> waiter) {
  ctx_.turn().renew(shape_, [waiter] { waiter.resume(); });
}

Transaction::Transaction(BranchContext& ctx, std::optional<time::Duration> lock_timeout,
                         std::optional<time::Duration> statement_limit)
    : ctx_(ctx), lock_timeout_(lock_timeout), statement_limit_(statement_limit) {}

pg::Pipeline Transaction::opened(const awa::Sql& sql, std::vector<pg::Parameter> parameters) {
  auto pipeline = std::exchange(ahead_, {});
  if (!is_open_) {
    pipeline.push_back(pg::Call{kBegin, {}});
    if (lock_timeout_) pipeline.push_back(set_limit("lock_timeout", *lock_timeout_));
    if (statement_limit_) pipeline.push_back(set_limit("statement_timeout", *statement_limit_));
    is_open_ = true;
  }
  pipeline.push_back(ctx_.call(sql, std::move(parameters)));
  return pipeline;
}

void Transaction::shield() {
  if (!ctx_.turn().shield()) {
    throw pg::Error(pg::SqlState("57014"), "the turn was taken back before the commit");
  }
}

Query Transaction::commit() {
  shield();
  auto pipeline = std::exchange(ahead_, {});
  pipeline.push_back(pg::Call{kCommit, {}});
  return Query(ctx_, std::move(pipeline));
}

Query Transaction::notify_and_commit() {
  shield();
  auto pipeline = std::exchange(ahead_, {});
  pipeline.push_back(pg::Call{kWaitForLocks, {}});
  pipeline.push_back(pg::Call{kCommit, {}});
  return Query(ctx_, std::move(pipeline));
}

}  // namespace lockkeeper::branches
