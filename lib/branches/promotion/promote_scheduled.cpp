// SPDX-License-Identifier: Apache-2.0
//
// promote_scheduled: hands jobs whose run_at has passed to the workers.
//
// People wait for this, so it rides the slo lane, and comes when a job falls due rather than
// by the clock alone. A pass looks once at both planes; only what is due is moved, batch by
// batch, each a short transaction. Planes and states are separate: what stops one of them
// stops no other. Paused queues of queue storage stay where they are.

#include <algorithm>
#include <deque>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "branches/promotion/promotion.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "queue/next_due",
    "canonical/next_due",
    "queue/take_due",
    "queue/settle_claims",
    "queue/make_ready",
    "queue/lock_lane_creation",
    "queue/act_as_owner",
    "queue/register_lane",
    "queue/make_lane_sequences",
    "queue/cancel_superseded",
    "canonical/promote_scheduled",
    "canonical/promote_retryable",
    "canonical/due_scheduled",
    "canonical/due_retryable",
    "canonical/cancel_superseded",
};

constexpr Setting kSettings[] = {
    {"batch_size", std::int64_t{1000}, "jobs in a transaction, a thousand at most"},
    {"max_batches", std::int64_t{128}, "batches in a pass, over both planes and states"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "refused", "superseded"};

// One row of next_due.
struct Backlog {
  std::string plane;
  std::string state;
  bool is_due = false;
};

struct Look {
  std::vector<Backlog> backlogs;
  time::Duration oldest{};                   // how long a job has been due
  time::Duration oldest_in_queue_storage{};  // the same, of one plane
  std::optional<time::Duration> next_in;     // until the next one falls due
};

Look read_look(const pg::Rows& rows) {
  Look seen;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Backlog backlog;
    backlog.plane = rows.text(row, 0);
    backlog.state = rows.text(row, 1);
    backlog.is_due = !rows.is_null(row, 2);
    if (backlog.is_due) {
      const time::Duration due_for = std::chrono::microseconds(rows.integer(row, 2));
      seen.oldest = std::max(seen.oldest, due_for);
      auto& oldest = seen.oldest_in_queue_storage;
      if (backlog.plane == "queue") oldest = std::max(oldest, due_for);
    }
    if (!rows.is_null(row, 3)) {
      const time::Duration next = std::chrono::microseconds(rows.integer(row, 3));
      seen.next_in = std::min(next, seen.next_in.value_or(next));
    }
    seen.backlogs.push_back(std::move(backlog));
  }
  return seen;
}

// What cannot be looked at within the time limit is passed over as well, or nothing else would
// ever be promoted.
Task<Look> look_at_both(PromotionPass& pass) {
  auto& look_back = pass.memory.look_back;
  const auto began = time::SteadyClock().now();
  const bool is_all_the_way = !look_back.at(began);
  try {
    const auto rows = co_await pass.ctx.query("queue/next_due", pass.look_back());
    const auto seen = read_look(rows);
    const auto took = time::SteadyClock().now() - began;
    if (is_all_the_way) look_back.saw_all(began, took, seen.oldest_in_queue_storage);
    co_return seen;
  } catch (const pg::Error& error) {
    const auto took = time::SteadyClock().now() - began;
    if (is_all_the_way && error.state().is_cancelled()) look_back.saw_all(began, took, {});
    throw;
  }
}

Task<Look> look_at_canonical(PromotionPass& pass) {
  const auto rows = co_await pass.ctx.query("canonical/next_due");
  co_return read_look(rows);
}

Task<Look> look(PromotionPass& pass) {
  auto looking =
      pass.ctx.planes().has_queue_storage() ? look_at_both(pass) : look_at_canonical(pass);
  const auto seen = co_await looking;
  pass.ctx.report().oldest_due(seen.oldest);
  co_return seen;
}

std::deque<Backlog> due(const Look& seen) {
  std::deque<Backlog> due;
  for (const auto& backlog : seen.backlogs) {
    if (backlog.is_due) due.push_back(backlog);
  }
  return due;
}

// Batch by batch, each backlog in its turn: none waits for the end of another.
Task<bool> drain(PromotionPass& pass, std::deque<Backlog> waiting, Outcome& outcome) {
  for (auto left = pass.ctx.integer("max_batches"); left > 0 && !waiting.empty(); --left) {
    const auto backlog = waiting.front();
    waiting.pop_front();
    auto batch = separately(backlog.plane == "queue" ? promote_queue_storage(pass, backlog.state)
                                                     : promote_canonical(pass, backlog.state),
                            outcome.failure);
    const bool may_have_more = co_await batch;
    if (may_have_more) waiting.push_back(backlog);
    co_await pass.ctx.breathe();
  }
  outcome.rows = pass.promoted;
  outcome.backlog = !waiting.empty();
  co_return true;
}

Task<Outcome> run(BranchContext& ctx) {
  const auto batch_size = std::min(ctx.integer("batch_size"), kMostJobsInBatch);
  PromotionPass pass{ctx, ctx.memory<PromotionMemory>(batch_size)};
  ctx.report().batch_size(pass.memory.pace.rows());
  Outcome outcome;
  auto looking = look(pass);
  auto seen = co_await looking;
  if (auto waiting = due(seen); !waiting.empty()) {
    auto draining = drain(pass, std::move(waiting), outcome);
    co_await draining;
    auto looking_again = look(pass);
    seen = co_await looking_again;
  }
  outcome.next_due_in = seen.next_in;
  co_return outcome;
}

}  // namespace

const Branch promote_scheduled{
    .name = "promote_scheduled",
    .lane = Lane::slo,
    .every = 250ms,
    .minimum_gap = 10ms,
    .summary = "hands jobs whose run_at has passed to the workers",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
