// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "branches/bisection.hpp"

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

class Rescue {
 public:
  Rescue(RescuePass& pass, AttemptSource source) : pass_(pass), source_(source) {}

  Task<bool> run();

 private:
  Task<bool> rescue_window(Candidates candidates);
  Task<bool> isolate(Candidates candidates);
  Task<std::optional<pg::SqlState>> rescue(Candidates candidates);
  Task<std::optional<pg::SqlState>> settle(Transaction& tx, EndedAttempts ended);
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
  const auto step = static_cast<std::size_t>(pass_.batch_size);
  for (std::size_t begin = 0; begin < candidates.size(); begin += step) {
    const auto end = std::min(begin + step, candidates.size());
    auto rescuing = rescue(candidates.part(begin, end));
    const auto failure = co_await rescuing;
    co_await pass_.ctx.breathe();
    if (!failure) continue;
    auto isolating = isolate(candidates.part(begin, end));
    co_await isolating;
  }
  co_return true;
}

Task<bool> Rescue::isolate(Candidates candidates) {
  Bisection bisection(candidates.size());
  while (const auto range = bisection.next()) {
    auto rescuing = rescue(candidates.part(range->begin, range->end));
    const auto failure = co_await rescuing;
    co_await pass_.ctx.breathe();
    if (!failure) continue;
    if (range->size() > 1) bisection.failed(*failure);
    if (range->size() > 1) continue;
    const bool is_bad = failure->is_row_fault();
    pass_.ctx.report().skipped_rows(
        is_bad ? "bad_row" : "locked", 1,
        fmt::format("job {}, SQLSTATE {}", candidates.jobs[range->begin], failure->code()));
  }
  co_return true;
}

// One transaction. Empty: done; otherwise what stopped it, and nothing of it has happened.
Task<std::optional<pg::SqlState>> Rescue::rescue(Candidates candidates) {
  auto tx = pass_.ctx.begin();
  const auto locked = co_await tx.attempt(source_.lock, candidates.slots, candidates.batches,
                                          candidates.jobs, candidates.run_leases);
  if (!locked.ok()) co_return locked.state;
  const auto ours = candidates.at(locked.rows.integers(0, 0));
  if (ours.size() == 0) co_return std::nullopt;
  const auto closed = co_await tx.attempt(source_.close, ours.slots, ours.batches, ours.jobs,
                                          ours.run_leases, pass_.limit);
  if (!closed.ok()) co_return closed.state;
  auto settling = settle(tx, read_ended(closed.rows));
  const auto failure = co_await settling;
  co_return failure;
}

EndedAttempts Rescue::read_ended(const pg::Rows& rows) {
  EndedAttempts ended;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (!rows.boolean(row, 5)) {
      pass_.ctx.report().skipped_rows("missing_ready_row", 1,
                                      fmt::format("job {}", rows.text(row, 0)));
      continue;
    }
    ended.jobs.push_back(rows.integer(row, 0));
    ended.run_leases.push_back(rows.integer(row, 1));
    ended.ready_slots.push_back(rows.integer(row, 2));
    ended.ready_generations.push_back(rows.integer(row, 3));
    ended.attempted_at.push_back(rows.is_null(row, 4) ? 0 : rows.integer(row, 4));
  }
  return ended;
}

Task<std::optional<pg::SqlState>> Rescue::settle(Transaction& tx, EndedAttempts ended) {
  if (ended.size() == 0) co_return std::nullopt;
  const auto settled = co_await tx.attempt("queue/settle_rescued", ended.jobs, ended.run_leases,
                                           ended.ready_slots, ended.ready_generations);
  if (!settled.ok()) co_return settled.state;
  Numbers refused;
  for (std::size_t row = 0; row < settled.rows.size(); ++row) {
    refused.push_back(settled.rows.integer(row, 0));
  }
  const auto successors = ended.only(refused, false);
  const auto duplicates = ended.only(refused, true);
  if (successors.size() > 0) {
    const auto deferred = co_await tx.attempt(
        "queue/defer_rescued", successors.jobs, successors.run_leases, successors.ready_slots,
        successors.ready_generations, successors.attempted_at, source_.error);
    if (!deferred.ok()) co_return deferred.state;
  }
  if (duplicates.size() > 0) {
    const auto cancelled = co_await tx.attempt(
        "queue/cancel_rescued", duplicates.jobs, duplicates.run_leases, duplicates.ready_slots,
        duplicates.ready_generations, duplicates.attempted_at, source_.error);
    if (!cancelled.ok()) co_return cancelled.state;
  }
  co_await tx.commit();
  pass_.rescued += static_cast<std::int64_t>(ended.size());
  const auto count = [](const EndedAttempts& of) { return static_cast<std::int64_t>(of.size()); };
  if (successors.size() > 0) pass_.ctx.report().rescued(pass_.kind, count(successors));
  if (duplicates.size() > 0) {
    const auto kind = fmt::format("{}_duplicate_cancelled", pass_.kind);
    pass_.ctx.report().rescued(kind, count(duplicates));
  }
  co_return std::nullopt;
}

}  // namespace

Candidates Candidates::part(std::size_t begin, std::size_t end) const {
  const auto cut = [&](const Numbers& all) {
    return Numbers(all.begin() + static_cast<std::ptrdiff_t>(begin),
                   all.begin() + static_cast<std::ptrdiff_t>(end));
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

Task<bool> rescue_attempts(RescuePass& pass, AttemptSource source) {
  Rescue rescue(pass, source);
  auto running = rescue.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
