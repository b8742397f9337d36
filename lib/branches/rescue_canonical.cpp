// SPDX-License-Identifier: Apache-2.0
//
// The canonical plane's part of rescue_stale_heartbeats: a statement a batch; triggers keep
// unique claims right. A job whose key a newer one holds is cancelled: the newer one wins.
#include <fmt/format.h>

#include <algorithm>

#include "branches/bisection.hpp"
#include "branches/rescue.hpp"

namespace lockkeeper::branches {
namespace {

Task<bool> cancel_or_leave(RescuePass& pass, std::int64_t job, pg::Reply refusal) {
  if (refusal.constraint == "idx_awa_jobs_unique") {
    const auto cancelled = co_await pass.ctx.attempt("canonical/cancel_stale", job, pass.limit);
    if (cancelled.ok()) {
      const auto kind = fmt::format("{}_duplicate_cancelled", pass.kind);
      pass.ctx.report().rescued(kind, cancelled.affected);
      pass.rescued += cancelled.affected;
      co_return true;
    }
  }
  const bool is_bad = refusal.state.is_row_fault();
  pass.ctx.report().skipped_rows(is_bad ? "bad_row" : "locked", 1,
                                 fmt::format("job {}, SQLSTATE {}", job, refusal.state.code()));
  co_return false;
}

Task<bool> rescue_jobs(RescuePass& pass, Numbers jobs) {
  Bisection bisection(jobs.size());
  while (const auto range = bisection.next()) {
    const Numbers some(jobs.begin() + static_cast<std::ptrdiff_t>(range->begin),
                       jobs.begin() + static_cast<std::ptrdiff_t>(range->end));
    const auto reply = co_await pass.ctx.attempt("canonical/rescue_stale", some, pass.limit);
    if (reply.ok()) {
      bisection.passed(reply.affected);
      pass.rescued += reply.affected;
      if (reply.affected > 0) pass.ctx.report().rescued(pass.kind, reply.affected);
    } else if (some.size() == 1) {
      auto leaving = cancel_or_leave(pass, some.front(), reply);
      co_await leaving;
    } else {
      bisection.failed(reply.state);
    }
    co_await pass.ctx.breathe();
  }
  co_return true;
}

}  // namespace

Task<bool> rescue_canonical(RescuePass& pass) {
  std::int64_t last = -1;
  while (true) {
    const auto found = co_await pass.ctx.query("canonical/find_stale", pass.limit, last);
    const auto jobs = found.integers(0, 0);
    if (jobs.empty()) co_return true;
    last = jobs.back();
    const auto step = static_cast<std::size_t>(pass.batch_size);
    for (std::size_t begin = 0; begin < jobs.size(); begin += step) {
      const auto end = std::min(begin + step, jobs.size());
      auto rescuing = rescue_jobs(pass, Numbers(jobs.begin() + static_cast<std::ptrdiff_t>(begin),
                                                jobs.begin() + static_cast<std::ptrdiff_t>(end)));
      co_await rescuing;
    }
  }
}

}  // namespace lockkeeper::branches
