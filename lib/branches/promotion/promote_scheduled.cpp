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
    "promotion/next_due",          "promotion/next_due_alone",    "canonical/next_due",
    "promotion/take_due",          "promotion/settle_claims",     "promotion/make_ready",
    "lanes/lock_creation",         "lanes/act_as_owner",          "lanes/register",
    "lanes/make_sequences",        "promotion/cancel_superseded", "canonical/promote_scheduled",
    "canonical/promote_retryable", "canonical/due_scheduled",     "canonical/due_retryable",
    "canonical/cancel_superseded",
};

constexpr Setting kSettings[] = {
    {"batch_size", std::int64_t{1000}, "jobs in a transaction, a thousand at most"},
    {"max_batches", std::int64_t{128}, "batches in a pass, over both planes and states"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "superseded"};

std::deque<Backlog> due(const Look& seen) {
  std::deque<Backlog> due;
  for (const auto& backlog : seen.backlogs) {
    if (backlog.is_due) due.push_back(backlog);
  }
  return due;
}

Task<bool> promote(PromotionPass& pass, const Backlog& backlog) {
  return backlog.plane == Plane::queue_storage ? promote_queue_storage(pass, backlog.state)
                                               : promote_canonical(pass, backlog.state);
}

// Batch by batch, each backlog in its turn: none waits for the end of another.
Task<bool> drain(PromotionPass& pass, std::deque<Backlog> waiting, Outcome& outcome) {
  for (auto left = pass.ctx.integer("max_batches"); left > 0 && !waiting.empty(); --left) {
    const auto backlog = waiting.front();
    waiting.pop_front();
    auto batch = separately(pass.ctx, promote(pass, backlog), outcome.failure);
    const bool may_have_more = co_await batch;
    if (may_have_more) waiting.push_back(backlog);
    co_await pass.ctx.breathe();
  }
  outcome.backlog = !waiting.empty();
  co_return true;
}

Task<Outcome> run(BranchContext& ctx) {
  const auto batch_size = std::min(ctx.integer("batch_size"), kMostJobsInBatch);
  PromotionPass pass{ctx, ctx.memory<PromotionMemory>(batch_size)};
  ctx.report().batch_size(pass.memory.pace.rows());
  Outcome outcome;
  auto looking = look(pass, outcome.failure);
  auto seen = co_await looking;
  if (auto waiting = due(seen); !waiting.empty()) {
    auto draining = drain(pass, std::move(waiting), outcome);
    co_await draining;
    auto looking_again = look(pass, outcome.failure);
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
