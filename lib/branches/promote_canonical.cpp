// SPDX-License-Identifier: Apache-2.0
//
// A batch is one statement. When a row stops it, the due rows are named and the batch is
// halved until that row stands alone.
#include "branches/bisection.hpp"
#include "branches/promotion.hpp"

namespace lockkeeper::branches {
namespace {

using Jobs = std::vector<std::int64_t>;

// Statement names of a state; partial indexes make the state a literal.
struct Words {
  std::string_view state;
  const char* promote;
  const char* due;
};
constexpr Words kWords[] = {
    {"scheduled", "canonical/promote_scheduled", "canonical/due_scheduled"},
    {"retryable", "canonical/promote_retryable", "canonical/due_retryable"},
};

struct Batch {
  std::int64_t promoted = 0;
  std::optional<pg::SqlState> failure;
  std::string constraint;
};

Task<Batch> promote(PromotionPass& pass, Words words, std::optional<Jobs> only) {
  const auto began = time::SteadyClock().now();
  const pg::Parameter these = only ? pg::Parameter(*only) : pg::Parameter(std::nullopt);
  const auto reply = co_await pass.ctx.attempt(words.promote, pass.memory.pace.rows(),
                                               pass.left_alone(Plane::canonical), these);
  Batch batch;
  if (!reply.ok()) {
    batch.failure = reply.state;
    batch.constraint = reply.constraint;
    co_return batch;
  }
  batch.promoted = reply.rows.integer(0, 0);
  if (batch.promoted == 0) co_return batch;
  pass.report_batch(words.state, batch.promoted, reply.rows.integers(0, 1),
                    time::SteadyClock().now() - began);
  co_return batch;
}

Task<bool> cancel(PromotionPass& pass, std::int64_t job) {
  co_await pass.ctx.breathe();
  const auto reply = co_await pass.ctx.attempt("canonical/cancel_superseded", job);
  if (!reply.ok() || reply.rows.empty()) co_return false;
  pass.ctx.report().skipped_rows("superseded", 1,
                                 "cancelled job " + std::to_string(job) + ", key held by job " +
                                     std::string(reply.rows.text(0, 1)));
  co_return true;
}

Task<bool> give_up(PromotionPass& pass, std::int64_t job, Batch batch) {
  if (batch.constraint == "idx_awa_jobs_unique") {
    auto cancelling = cancel(pass, job);
    const bool is_cancelled = co_await cancelling;
    if (is_cancelled) co_return true;
  }
  pass.leave_alone(Plane::canonical, job, *batch.failure);
  co_return true;
}

// False when not a single row was moved or found to be bad.
Task<bool> isolate(PromotionPass& pass, Words words) {
  bool has_progress = false;
  const auto due = co_await pass.ctx.query(words.due, pass.memory.pace.rows(),
                                           pass.left_alone(Plane::canonical));
  const auto jobs = due.integers(0, 0);
  Bisection bisection(jobs.size());
  while (const auto range = bisection.next()) {
    co_await pass.ctx.breathe();
    const Jobs some(jobs.begin() + static_cast<std::ptrdiff_t>(range->begin),
                    jobs.begin() + static_cast<std::ptrdiff_t>(range->end));
    auto promotion = promote(pass, words, some);
    const auto batch = co_await promotion;
    has_progress |= batch.promoted > 0;
    if (!batch.failure || !bisection.failed()) continue;
    auto giving_up = give_up(pass, some.front(), batch);
    has_progress |= co_await giving_up;
  }
  co_return has_progress;
}

}  // namespace

Task<bool> promote_canonical(PromotionPass& pass, std::string_view state) {
  const auto words = state == kWords[0].state ? kWords[0] : kWords[1];
  for (bool is_first = true; pass.batches_left > 0; is_first = false) {
    if (!is_first) co_await pass.ctx.breathe();
    --pass.batches_left;
    auto promotion = promote(pass, words, std::nullopt);
    const auto batch = co_await promotion;
    if (!batch.failure && batch.promoted == 0) co_return false;
    if (!batch.failure) continue;
    auto isolating = isolate(pass, words);
    const bool has_progress = co_await isolating;
    if (!has_progress) co_return false;
  }
  co_return true;
}

}  // namespace lockkeeper::branches
