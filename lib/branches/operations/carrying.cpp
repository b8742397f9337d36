// SPDX-License-Identifier: Apache-2.0
#include "branches/operations/carrying.hpp"

#include <fmt/format.h>

namespace lockkeeper::branches {
namespace {

// Items that are skipped in one transaction.
constexpr std::int64_t kMostSkipped = 1000;

}  // namespace

Task<Progress> Carrying::run() {
  const auto& schema = ctx_.planes().routed_schema;
  if (operation_.schema != schema) operation_.phase = Operation::Phase::unknown;
  operation_.schema = schema;
  while (true) {
    auto next = step();
    co_await next;
    if (is_stopped()) co_return *progress_;
    co_await ctx_.breathe();
    if (is_time_up()) co_return Progress::interrupted;
  }
}

Task<bool> Carrying::step() {
  switch (operation_.phase) {
    case Operation::Phase::unknown:
      return begin();
    case Operation::Phase::naming:
      return name();
    case Operation::Phase::changing:
      return change();
    case Operation::Phase::skipping:
      return skip();
  }
  return begin();
}

bool Carrying::is_time_up() const { return time::SteadyClock().now() >= pass_.end; }

std::string_view Carrying::plane() const {
  return ctx_.planes().is_queue_storage_routed() ? "queue_storage" : "canonical";
}

void Carrying::start_walk() {
  const bool has_lanes = ctx_.planes().is_queue_storage_routed();
  operation_.walk = Walk(has_lanes ? 1 : 2, has_lanes);
  operation_.left = 0;
  operation_.has_changed_any = false;
  operation_.is_taken_up = false;
}

// The first statement of each transaction that writes. Another runner that is in the middle of its
// work is not waited for. Where somebody has switched the storage, our knowledge is old: ids mean
// other jobs there.
Task<bool> Carrying::hold(Transaction& tx) {
  const auto rows = co_await tx.query("operations/hold", id_);
  state_ = rows.is_null(0, 1) ? "" : rows.text(0, 1);
  const bool is_routed = rows.boolean(0, 2);
  if (!rows.boolean(0, 0)) {
    stop(Progress::busy);
  } else if (is_routed != ctx_.planes().is_queue_storage_routed()) {
    operation_.phase = Operation::Phase::unknown;
    stop(Progress::blocked);
  } else if (state_ == "cancelling") {
    const bool was_skipping = operation_.phase == Operation::Phase::skipping;
    operation_.phase = Operation::Phase::skipping;
    co_return was_skipping;
  } else if (state_ != "pending" && state_ != "scanning" && state_ != "running") {
    stop(Progress::finished);
  }
  co_return !is_stopped();
}

Task<bool> Carrying::begin() {
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  const auto asked = co_await tx.query("operations/examine", id_, plane());
  if (!asked.is_null(0, 2)) {
    const std::string problem(asked.text(0, 2));
    co_await ctx_.breathe();
    auto failing = fail(problem);
    co_return co_await failing;
  }
  operation_.wish = {};
  if (!asked.is_null(0, 0)) operation_.wish.queue = asked.text(0, 0);
  if (!asked.is_null(0, 1)) operation_.wish.priority = asked.integer(0, 1);
  co_await tx.query("operations/begin", id_, plane());
  co_await tx.commit();
  start_walk();
  const bool has_named = state_ == "running";
  operation_.is_taken_up = has_named;
  operation_.phase = has_named ? Operation::Phase::changing : Operation::Phase::naming;
  co_return true;
}

Task<bool> Carrying::skip() {
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  const auto skipped = co_await tx.query("operations/skip_pending", id_, kMostSkipped);
  if (!skipped.empty()) {
    co_await tx.commit();
    ctx_.moved(skipped.integer(0, 0));
    co_return true;
  }
  const auto finished = co_await tx.query("operations/finish", id_, "completed", std::nullopt,
                                          ctx_.duration("retention"));
  stop(finished.empty() ? Progress::blocked : Progress::finished);
  if (!finished.empty()) co_await tx.commit();
  co_return true;
}

// Whoever has submitted it finds the reason in it.
Task<bool> Carrying::fail(std::string why) {
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held && is_stopped()) co_return false;
  const auto finished =
      co_await tx.query("operations/finish", id_, "failed", why, ctx_.duration("retention"));
  co_await tx.commit();
  stop(Progress::finished);
  ctx_.report().skipped_rows("bad_operation", 1, fmt::format("batch operation {}, {}", id_, why));
  co_return !finished.empty();
}

Task<Progress> carry_on(OperationsPass& pass, std::string id, Operation& operation) {
  Carrying carrying(pass, std::move(id), operation);
  auto running = carrying.run();
  co_return co_await running;
}

Task<bool> mark_failed(OperationsPass& pass, std::string id, std::string why) {
  Operation unused;
  Carrying carrying(pass, std::move(id), unused);
  auto failing = carrying.fail(std::move(why));
  co_return co_await failing;
}

}  // namespace lockkeeper::branches
