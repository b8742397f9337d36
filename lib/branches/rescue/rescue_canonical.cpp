// SPDX-License-Identifier: Apache-2.0
//
// The canonical plane's part of the rescue branches: a statement a batch, which notifies; triggers
// keep unique claims right. A job whose key a newer one holds is cancelled: the newer one wins.
#include <algorithm>

#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {
namespace {

Task<std::optional<pg::Error>> rescue(RescuePass& pass, Numbers jobs) {
  const auto began = time::SteadyClock().now();
  try {
    auto tx = pass.ctx.begin();
    const auto rows =
        co_await tx.query("canonical/rescue_attempts", jobs, pass.kind.word, pass.terms.limit,
                          pass.kind.canonical.error, pass.terms.do_attempts_count);
    co_await tx.notify_and_commit();
    pass.report(rows.integer(0, 0), 0);
    pass.batch_took(rows.integer(0, 0), time::SteadyClock().now() - began);
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) pass.memory.pace.cut_short();
    co_return contained(error);
  }
  co_return std::nullopt;
}

// False if it could not be cancelled.
Task<bool> cancel(RescuePass& pass, std::int64_t job) {
  co_await pass.ctx.breathe();
  try {
    auto tx = pass.ctx.begin();
    const auto rows = co_await tx.query("canonical/cancel_attempt", job, pass.kind.word,
                                        pass.terms.limit, pass.kind.canonical.duplicate);
    co_await tx.notify_and_commit();
    pass.report(0, rows.integer(0, 0));
    co_return true;
  } catch (const pg::Error& error) {
    contained(error);
  }
  co_return false;
}

Task<bool> rescue_window(RescuePass& pass, Numbers jobs) {
  Bisection search(jobs.size());
  while (const auto range = search.next()) {
    const Numbers some(jobs.begin() + static_cast<std::ptrdiff_t>(range->begin),
                       jobs.begin() + static_cast<std::ptrdiff_t>(range->end));
    auto rescuing = rescue(pass, some);
    const auto refusal = co_await rescuing;
    bool is_done = !refusal;
    if (some.size() == 1 && refusal && refusal->constraint() == "idx_awa_jobs_unique") {
      auto cancelling = cancel(pass, some.front());
      is_done = co_await cancelling;
    }
    if (is_done) {
      search.passed(static_cast<std::int64_t>(some.size()));
    } else {
      search.failed(refusal->state());
    }
    co_await pass.ctx.breathe();
  }
  for (const auto& [row, why] : search.given_up()) pass.left_alone(jobs[row], why);
  co_return true;
}

}  // namespace

Task<bool> rescue_canonical(RescuePass& pass) {
  std::string cursor_at = "-infinity";
  std::int64_t cursor_job = -1;
  while (true) {
    const auto found =
        co_await pass.ctx.query(pass.kind.canonical.find, pass.terms.limit, cursor_at, cursor_job);
    const auto jobs = found.integers(0, 0);
    if (jobs.empty()) co_return true;
    cursor_at = found.text(0, 1);
    cursor_job = found.integer(0, 2);
    for (std::size_t begin = 0; begin < jobs.size();) {
      const auto end =
          std::min(begin + static_cast<std::size_t>(pass.memory.pace.rows()), jobs.size());
      auto rescuing = rescue_window(pass, Numbers(jobs.begin() + static_cast<std::ptrdiff_t>(begin),
                                                  jobs.begin() + static_cast<std::ptrdiff_t>(end)));
      co_await rescuing;
      begin = end;
    }
  }
}

}  // namespace lockkeeper::branches
