// SPDX-License-Identifier: Apache-2.0
//
// The canonical plane's part of the rescue branches: a statement a batch, which notifies; triggers
// keep unique claims right. A job whose key a newer one holds is cancelled: the newer one wins.
#include <algorithm>

#include "branches/fault.hpp"
#include "branches/rescue/rescue.hpp"
#include "logging/log.hpp"

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

// However long a look takes, that is no fault; but whoever waits for an old job should know.
void tell(const RescuePass& pass, bool was_whole) {
  const bool is_whole = pass.memory.bands.is_whole();
  if (is_whole == was_whole) return;
  if (is_whole) {
    logging::info("all canonical jobs are looked at at once again", {{"kind", pass.kind.word}});
    return;
  }
  logging::warn(
      "a look at all canonical jobs takes too long, as while somebody holds an old snapshot; what "
      "is new is looked at in each pass, the rest bit by bit",
      {{"kind", pass.kind.word}});
}

// A look into one band, window by window.
class BandLook {
 public:
  BandLook(RescuePass& pass, Band band)
      : pass_(pass), ages_(band.beyond(pass.terms.limit)), before_(pass.ctx.rows_moved()) {}

  Task<bool> run();

  time::TimePoint began() const { return began_; }
  time::Duration longest() const { return longest_; }  // of its statements
  // Somebody else may have locked a job, or the database may not let it go.
  bool is_done() const { return pass_.ctx.rows_moved() - before_ >= named_; }

 private:
  Task<Numbers> find();
  Task<bool> rescue_all_of(Numbers jobs);

  RescuePass& pass_;
  const Band ages_;
  const std::int64_t before_;
  const time::TimePoint began_ = time::SteadyClock().now();
  time::Duration longest_{};
  std::int64_t named_ = 0;
  std::string cursor_at_ = "-infinity";
  std::int64_t cursor_job_ = -1;
};

Task<bool> BandLook::run() {
  while (true) {
    auto finding = find();
    const auto jobs = co_await finding;
    if (jobs.empty()) co_return true;
    auto rescuing = rescue_all_of(jobs);
    co_await rescuing;
  }
}

// What has been in the band since the look began stays in it.
Task<Numbers> BandLook::find() {
  const auto asked = time::SteadyClock().now();
  auto oldest = ages_.oldest;
  if (oldest) *oldest += asked - began_;
  const auto found = co_await pass_.ctx.query(pass_.kind.canonical.find, ages_.youngest, cursor_at_,
                                              cursor_job_, oldest);
  longest_ = std::max(longest_, time::SteadyClock().now() - asked);
  auto jobs = found.integers(0, 0);
  if (jobs.empty()) co_return jobs;
  named_ += static_cast<std::int64_t>(jobs.size());
  cursor_at_ = found.text(0, 1);
  cursor_job_ = found.integer(0, 2);
  co_return jobs;
}

Task<bool> BandLook::rescue_all_of(Numbers jobs) {
  for (std::size_t begin = 0; begin < jobs.size();) {
    const auto rows = static_cast<std::size_t>(pass_.memory.pace.rows());
    const auto end = std::min(begin + rows, jobs.size());
    auto rescuing = rescue_window(pass_, Numbers(jobs.begin() + static_cast<std::ptrdiff_t>(begin),
                                                 jobs.begin() + static_cast<std::ptrdiff_t>(end)));
    co_await rescuing;
    begin = end;
  }
  co_return true;
}

Task<bool> rescue_band(RescuePass& pass, Band band) {
  auto& bands = pass.memory.bands;
  const bool was_whole = bands.is_whole();
  BandLook look(pass, band);
  try {
    auto looking = look.run();
    co_await looking;
    bands.saw(look.began(), look.longest(), look.is_done());
  } catch (const pg::Error& error) {
    const bool is_slow = error.state().is_cancelled() && !is_taken_back(pass.ctx, error);
    const auto took = time::SteadyClock().now() - look.began();
    if (!is_slow || !bands.gave_up(look.began(), took)) throw;
  }
  tell(pass, was_whole);
  co_return true;
}

}  // namespace

Task<bool> rescue_canonical(RescuePass& pass, Band band) {
  std::optional<Band> at = band;
  while (at) {
    auto rescuing = rescue_band(pass, *at);
    co_await rescuing;
    at = pass.memory.bands.next(time::SteadyClock().now());
    if (at) co_await pass.ctx.breathe();
  }
  co_return true;
}

}  // namespace lockkeeper::branches
