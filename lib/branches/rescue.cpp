// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockkeeper::branches {
namespace {

// Where the next window begins. The order is that of an index, so a window costs the same
// however much finished history stands before it.
struct Cursor {
  std::string at = "-infinity";
  std::int64_t first = -1;
  std::int64_t second = -1;
};

struct Window {
  Candidates candidates;
  Cursor next;
  bool has_more = false;
};

// An array that is NULL when it would be empty.
Numbers numbers(const pg::Rows& rows, std::size_t column) {
  return rows.is_null(0, column) ? Numbers() : rows.integers(0, column);
}

Window read_window(const pg::Rows& rows) {
  Window window;
  window.has_more = rows.boolean(0, 0);
  if (window.has_more) {
    window.next.at = rows.text(0, 1);
    window.next.first = rows.integer(0, 2);
    window.next.second = rows.integer(0, 3);
  }
  window.candidates.slots = numbers(rows, 4);
  window.candidates.batches = numbers(rows, 5);
  window.candidates.jobs = numbers(rows, 6);
  window.candidates.run_leases = numbers(rows, 7);
  window.candidates.batches.resize(window.candidates.size());
  return window;
}

Numbers first_column(const pg::Rows& rows) {
  Numbers column;
  for (std::size_t row = 0; row < rows.size(); ++row) column.push_back(rows.integer(row, 0));
  return column;
}

class Rescue {
 public:
  Rescue(RescuePass& pass, AttemptSource source) : pass_(pass), source_(source) {}

  Task<bool> run();

 private:
  using Refusal = std::optional<pg::SqlState>;  // empty: done; otherwise nothing has happened

  Task<bool> rescue_window(Candidates candidates);
  Task<bool> isolate(Candidates candidates);
  Task<Refusal> rescue(Candidates candidates);
  Task<bool> end(Candidates candidates);
  Task<bool> settle(Transaction& tx, EndedAttempts ended);
  EndedAttempts read_ended(const pg::Rows& rows);

  RescuePass& pass_;
  AttemptSource source_;
};

Task<bool> Rescue::run() {
  Cursor cursor;
  while (true) {
    const auto rows =
        co_await pass_.ctx.query(source_.find, pass_.limit, cursor.at, cursor.first, cursor.second);
    auto window = read_window(rows);
    auto rescuing = rescue_window(std::move(window.candidates));
    co_await rescuing;
    if (!window.has_more) co_return true;
    cursor = window.next;
    co_await pass_.ctx.breathe();
  }
}

Task<bool> Rescue::rescue_window(Candidates candidates) {
  for (std::size_t begin = 0; begin < candidates.size();) {
    const auto rows = static_cast<std::size_t>(pass_.pace.rows());
    const Bisection::Range range = {begin, std::min(begin + rows, candidates.size())};
    auto rescuing = rescue(candidates.part(range));
    const auto refusal = co_await rescuing;
    co_await pass_.ctx.breathe();
    begin = range.end;
    if (!refusal) continue;
    auto isolating = isolate(candidates.part(range));
    co_await isolating;
  }
  co_return true;
}

Task<bool> Rescue::isolate(Candidates candidates) {
  Bisection search(candidates.size());
  while (const auto range = search.next()) {
    auto rescuing = rescue(candidates.part(*range));
    const auto refusal = co_await rescuing;
    co_await pass_.ctx.breathe();
    if (refusal) {
      search.failed(*refusal);
    } else {
      search.passed(static_cast<std::int64_t>(range->size()));
    }
  }
  for (const auto& [row, why] : search.given_up()) pass_.left_alone(candidates.jobs[row], why);
  co_return true;
}

Task<Rescue::Refusal> Rescue::rescue(Candidates candidates) {
  try {
    auto ending = end(std::move(candidates));
    co_await ending;
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) pass_.pace.cut_short();
    co_return contained(error).state();
  }
  co_return std::nullopt;
}

// One transaction.
Task<bool> Rescue::end(Candidates candidates) {
  const auto began = time::SteadyClock().now();
  auto tx = pass_.ctx.begin();
  const auto locked = co_await tx.query(source_.lock, candidates.slots, candidates.batches,
                                        candidates.jobs, candidates.run_leases);
  const auto ours = candidates.at(locked.integers(0, 0));
  if (ours.size() == 0) co_return false;
  const auto closed = co_await tx.query(source_.close, ours.slots, ours.batches, ours.jobs,
                                        ours.run_leases, pass_.limit);
  const auto ended = read_ended(closed);
  if (ended.size() == 0) co_return false;
  if (source_.close_receipts != nullptr) {
    co_await tx.query(source_.close_receipts, ended.jobs, ended.run_leases, ended.ready_slots,
                      ended.ready_generations);
  }
  auto settling = settle(tx, ended);
  co_await settling;
  pass_.batch_took(static_cast<std::int64_t>(ended.size()), time::SteadyClock().now() - began);
  co_return true;
}

EndedAttempts Rescue::read_ended(const pg::Rows& rows) {
  const EndedAttempts all{numbers(rows, 0), numbers(rows, 1), numbers(rows, 2), numbers(rows, 3),
                          numbers(rows, 4)};
  const auto has_ready = numbers(rows, 5);
  Numbers lost;
  for (std::size_t row = 0; row < all.size(); ++row) {
    if (has_ready[row] == 0) lost.push_back(all.jobs[row]);
  }
  for (const auto job : lost) {
    pass_.ctx.report().skipped_rows("missing_ready_row", 1, fmt::format("job {}", job));
  }
  return all.only(lost, false);
}

Task<bool> Rescue::settle(Transaction& tx, EndedAttempts ended) {
  const auto refused = co_await tx.query("queue/settle_rescued", ended.jobs, ended.run_leases,
                                         ended.ready_slots, ended.ready_generations);
  const auto superseded = first_column(refused);
  const auto successors = ended.only(superseded, false);
  const auto duplicates = ended.only(superseded, true);
  if (successors.size() > 0) {
    co_await tx.query("queue/defer_rescued", successors.jobs, successors.run_leases,
                      successors.ready_slots, successors.ready_generations, successors.attempted_at,
                      source_.error);
  }
  if (duplicates.size() > 0) {
    co_await tx.query("queue/cancel_rescued", duplicates.jobs, duplicates.run_leases,
                      duplicates.ready_slots, duplicates.ready_generations, duplicates.attempted_at,
                      source_.error);
  }
  co_await tx.query("queue/tell_workers", ended.jobs, ended.run_leases);
  co_await tx.notify_and_commit();
  pass_.report(static_cast<std::int64_t>(successors.size()),
               static_cast<std::int64_t>(duplicates.size()));
  co_return true;
}

}  // namespace

Candidates Candidates::part(const Bisection::Range& range) const {
  const auto cut = [&](const Numbers& all) {
    return Numbers(all.begin() + static_cast<std::ptrdiff_t>(range.begin),
                   all.begin() + static_cast<std::ptrdiff_t>(range.end));
  };
  return {cut(slots), cut(batches), cut(jobs), cut(run_leases)};
}

Candidates Candidates::at(const Numbers& places) const {
  Candidates chosen;
  for (const auto place : places) {
    const auto index = static_cast<std::size_t>(place - 1);
    chosen.slots.push_back(slots[index]);
    chosen.batches.push_back(batches[index]);
    chosen.jobs.push_back(jobs[index]);
    chosen.run_leases.push_back(run_leases[index]);
  }
  return chosen;
}

EndedAttempts EndedAttempts::only(const Numbers& chosen, bool is_in) const {
  EndedAttempts some;
  for (std::size_t index = 0; index < size(); ++index) {
    const bool is_chosen = std::find(chosen.begin(), chosen.end(), jobs[index]) != chosen.end();
    if (is_chosen != is_in) continue;
    some.jobs.push_back(jobs[index]);
    some.run_leases.push_back(run_leases[index]);
    some.ready_slots.push_back(ready_slots[index]);
    some.ready_generations.push_back(ready_generations[index]);
    some.attempted_at.push_back(attempted_at[index]);
  }
  return some;
}

void RescuePass::report(std::int64_t rescued_jobs, std::int64_t cancelled) {
  rescued += rescued_jobs + cancelled;
  if (rescued_jobs > 0) ctx.report().rescued(kind, rescued_jobs);
  if (cancelled == 0) return;
  ctx.report().rescued(fmt::format("{}_duplicate_cancelled", kind), cancelled);
}

void RescuePass::batch_took(std::int64_t attempts, time::Duration length) {
  pace.took(attempts, length);
  ctx.report().batch_size(pace.rows());
}

void RescuePass::left_alone(std::int64_t job, const pg::SqlState& why) {
  const bool is_bad = fault_of(why) == Fault::row;
  ctx.report().skipped_rows(is_bad ? "bad_row" : "locked", 1,
                            fmt::format("job {}, SQLSTATE {}", job, why.code()));
}

Task<bool> rescue_attempts(RescuePass& pass, AttemptSource source) {
  Rescue rescue(pass, source);
  auto running = rescue.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
