// SPDX-License-Identifier: Apache-2.0
//
// A batch is one statement, whose triggers notify. When a row stops it, the due rows are named and
// the batch is halved until that row stands alone.
#include "branches/promotion/promotion.hpp"

namespace lockkeeper::branches {
namespace {

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
  std::optional<pg::Error> failure;
};

Task<Batch> promote(PromotionPass& pass, Words words, std::optional<Jobs> only) {
  const auto began = time::SteadyClock().now();
  const pg::Parameter these = only ? pg::Parameter(*only) : pg::Parameter(std::nullopt);
  Batch batch;
  try {
    auto tx = pass.ctx.begin();
    const auto rows =
        co_await tx.query(words.promote, pass.memory.pace.rows(), pass.left_alone(Plane::canonical),
                          these, pass.look_back(kCanonical));
    const auto promoted = rows.integer(0, 0);
    if (promoted == 0) co_return batch;
    co_await tx.notify_and_commit();
    batch.promoted = promoted;
    pass.report_batch(words.state, batch.promoted, rows.integers(0, 1),
                      time::SteadyClock().now() - began);
  } catch (const pg::Error& error) {
    batch.failure = contained(error);
    pass.batch_failed(error.state());
  }
  co_return batch;
}

// False if it could not be cancelled, or need not be any more.
Task<bool> cancel(PromotionPass& pass, std::int64_t job) {
  co_await pass.ctx.breathe();
  try {
    const auto rows = co_await pass.ctx.query("canonical/cancel_superseded", job);
    if (rows.empty()) co_return false;
    pass.ctx.report().skipped_rows("superseded", 1,
                                   "cancelled job " + std::to_string(job) + ", key held by job " +
                                       std::string(rows.text(0, 1)));
    co_return true;
  } catch (const pg::Error& error) {
    contained(error);
  }
  co_return false;
}

// False when not a single row was moved or found to be bad.
Task<bool> isolate(PromotionPass& pass, Words words) {
  const auto due =
      co_await pass.ctx.query(words.due, pass.memory.pace.rows(), pass.left_alone(Plane::canonical),
                              pass.look_back(kCanonical));
  const auto jobs = due.integers(0, 0);
  Bisection search(jobs.size());
  while (const auto range = search.next()) {
    co_await pass.ctx.breathe();
    auto promotion = promote(pass, words, part(jobs, *range));
    const auto batch = co_await promotion;
    search.passed(batch.promoted);
    if (!batch.failure) continue;
    if (range->size() == 1 && batch.failure->constraint() == "idx_awa_jobs_unique") {
      auto cancelling = cancel(pass, jobs[range->begin]);
      const bool is_cancelled = co_await cancelling;
      if (is_cancelled) search.passed(1);
      if (is_cancelled) continue;
    }
    search.failed(batch.failure->state());
  }
  co_return pass.leave_alone(Plane::canonical, jobs, search);
}

}  // namespace

Task<bool> promote_canonical(PromotionPass& pass, std::string_view state) {
  const auto words = state == kWords[0].state ? kWords[0] : kWords[1];
  const auto asked = pass.memory.pace.rows();
  auto promotion = promote(pass, words, std::nullopt);
  const auto batch = co_await promotion;
  if (!batch.failure) co_return batch.promoted >= asked;
  co_await pass.ctx.breathe();
  auto isolating = isolate(pass, words);
  co_return co_await isolating;
}

}  // namespace lockkeeper::branches
