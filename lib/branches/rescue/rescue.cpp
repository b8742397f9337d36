// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue/rescue.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockkeeper::branches {
namespace {

// The most that a statement is asked for.
constexpr std::size_t kMostAtOnce = 1000;

// In the order in which the statements return them.
constexpr Numbers EndedAttempts::*kColumns[] = {
    &EndedAttempts::jobs,         &EndedAttempts::run_leases,
    &EndedAttempts::ready_slots,  &EndedAttempts::ready_generations,
    &EndedAttempts::attempted_at, &EndedAttempts::is_last};

Numbers first_column(const pg::Rows& rows) {
  Numbers column;
  for (std::size_t row = 0; row < rows.size(); ++row) column.push_back(rows.integer(row, 0));
  return column;
}

class Rescue {
 public:
  Rescue(RescuePass& pass, AttemptSource source)
      : pass_(pass), source_(source), history_(pass.memory.histories[source.find]) {}

  Task<bool> run();

 private:
  using Refusal = std::optional<pg::SqlState>;  // empty: done; otherwise nothing has happened

  Task<bool> look_again();
  Task<bool> rescue_window(Candidates candidates);
  Task<bool> isolate(Candidates candidates);
  Task<Refusal> rescue(Candidates candidates);
  Task<bool> end(Candidates candidates);
  Task<EndedAttempts> close(Transaction& tx, Candidates candidates);
  Task<bool> settle(Transaction& tx, EndedAttempts ended, Numbers dead_letters);
  Task<Numbers> superseded(Transaction& tx, EndedAttempts ended, int state);
  Task<bool> finish(Transaction& tx, EndedAttempts ended, std::string_view state);
  Task<pg::Rows> bury(Transaction& tx, EndedAttempts ended);
  EndedAttempts read_ended(const pg::Rows& rows);

  RescuePass& pass_;
  AttemptSource source_;
  History& history_;
};

// Those that were open when they were seen last, and then all that has not been seen.
Task<bool> Rescue::run() {
  history_.begin(time::SteadyClock().now());
  auto looking_again = look_again();
  co_await looking_again;
  auto cursor = history_.end();
  while (true) {
    const auto began = time::SteadyClock().now();
    auto finding = find(pass_, source_, cursor);
    const auto window = co_await finding;
    if (source_.is_ledger) {
      history_.saw(window.end, window.open, time::SteadyClock().now() - began);
    }
    auto rescuing = rescue_window(window.candidates);
    co_await rescuing;
    if (!window.has_more) co_return true;
    cursor = window.end;
    co_await pass_.ctx.breathe();
  }
}

Task<bool> Rescue::look_again() {
  const auto known = history_.open();
  Candidates left;
  for (std::size_t begin = 0; begin < known.size(); begin += kMostAtOnce) {
    const Bisection::Range range = {begin, std::min(begin + kMostAtOnce, known.size())};
    auto finding = find_again(pass_, source_, known.part(range));
    const auto window = co_await finding;
    left.add(window.open);
    auto rescuing = rescue_window(window.candidates);
    co_await rescuing;
    co_await pass_.ctx.breathe();
  }
  history_.still_open(std::move(left));
  co_return true;
}

Task<bool> Rescue::rescue_window(Candidates candidates) {
  for (std::size_t begin = 0; begin < candidates.size();) {
    const auto rows = static_cast<std::size_t>(pass_.memory.pace.rows());
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
    if (error.state().is_cancelled()) pass_.memory.pace.cut_short();
    co_return contained(error).state();
  }
  co_return std::nullopt;
}

// One transaction, and before it what it must not read itself.
Task<bool> Rescue::end(Candidates candidates) {
  const auto began = time::SteadyClock().now();
  Numbers dead_letters;
  if (pass_.terms.do_attempts_count) {
    const auto& wanted = pass_.terms.dead_letters;
    const auto rows =
        co_await pass_.ctx.query("rescue/dead_letters", candidates.jobs, candidates.run_leases,
                                 wanted.standard, wanted.queues, wanted.words);
    dead_letters = rows.integers(0, 0);
  }
  auto tx = pass_.ctx.begin();
  auto closing = close(tx, std::move(candidates));
  const auto ended = co_await closing;
  if (ended.size() == 0) co_return false;
  auto settling = settle(tx, ended, std::move(dead_letters));
  co_await settling;
  pass_.batch_took(static_cast<std::int64_t>(ended.size()), time::SteadyClock().now() - began);
  co_return true;
}

Task<EndedAttempts> Rescue::close(Transaction& tx, Candidates candidates) {
  const auto locked = co_await tx.query(source_.lock, candidates.slots, candidates.batches,
                                        candidates.jobs, candidates.run_leases);
  const auto ours = candidates.at(locked.integers(0, 0));
  if (ours.size() == 0) co_return EndedAttempts();
  const auto closed = co_await tx.query(source_.close, ours.slots, ours.batches, ours.jobs,
                                        ours.run_leases, pass_.kind.word, pass_.terms.limit);
  const auto ended = read_ended(closed);
  if (ended.size() == 0 || source_.close_receipts == nullptr) co_return ended;
  const auto receipts =
      co_await tx.query(source_.close_receipts, ended.jobs, ended.run_leases, ended.ready_slots,
                        ended.ready_generations, ended.attempted_at);
  const auto rest = ended.only(receipts.integers(0, 0), false);
  if (rest.size() == 0) co_return ended;
  co_await tx.query("rescue/close_receipts_anywhere", rest.jobs, rest.run_leases, rest.ready_slots,
                    rest.ready_generations);
  co_return ended;
}

EndedAttempts Rescue::read_ended(const pg::Rows& rows) {
  EndedAttempts all;
  for (std::size_t column = 0; column < std::size(kColumns); ++column) {
    all.*kColumns[column] = numbers(rows, column);
  }
  const auto lost = all.jobs_where_last_is(-1);
  for (const auto job : lost) {
    pass_.ctx.report().skipped_rows("missing_ready_row", 1, fmt::format("job {}", job));
  }
  return all.only(lost, false);
}

// Each job gets its successor or its end; a newer job that holds its unique key wins.
Task<bool> Rescue::settle(Transaction& tx, EndedAttempts ended, Numbers dead_letters) {
  const auto without_attempts =
      pass_.terms.do_attempts_count ? ended.jobs_where_last_is(1) : Numbers();
  const auto retried = ended.only(without_attempts, false);
  const auto given_up = ended.only(without_attempts, true);
  auto retrying = superseded(tx, retried, kRetryable);
  auto lost = co_await retrying;
  auto giving_up = superseded(tx, given_up, kFailed);
  const auto also_lost = co_await giving_up;
  lost.insert(lost.end(), also_lost.begin(), also_lost.end());
  const auto deferred = retried.only(lost, false);
  if (deferred.size() > 0) {
    co_await tx.query("rescue/defer", deferred.jobs, deferred.run_leases, deferred.ready_slots,
                      deferred.ready_generations, deferred.attempted_at, source_.error);
  }
  const auto failed = given_up.only(lost, false);
  auto burying = bury(tx, failed.only(dead_letters, true));
  const auto buried = co_await burying;
  auto failing = finish(tx, failed.only(dead_letters, false), "failed");
  co_await failing;
  auto cancelling = finish(tx, ended.only(lost, true), "cancelled");
  co_await cancelling;
  if (pass_.kind.state == kRunning) {
    co_await tx.query("rescue/tell_workers", ended.jobs, ended.run_leases);
  }
  co_await tx.notify_and_commit();
  const auto cancelled = static_cast<std::int64_t>(lost.size());
  pass_.report(static_cast<std::int64_t>(ended.size()) - cancelled, cancelled);
  pass_.report_buried(buried);
  co_return true;
}

Task<Numbers> Rescue::superseded(Transaction& tx, EndedAttempts ended, int state) {
  if (ended.size() == 0) co_return Numbers();
  const auto rows =
      co_await tx.query("rescue/settle", ended.jobs, ended.run_leases, ended.ready_slots,
                        ended.ready_generations, pass_.kind.state, state);
  co_return first_column(rows);
}

Task<bool> Rescue::finish(Transaction& tx, EndedAttempts ended, std::string_view state) {
  if (ended.size() == 0) co_return false;
  co_await tx.query("rescue/finish", ended.jobs, ended.run_leases, ended.ready_slots,
                    ended.ready_generations, ended.attempted_at, source_.error, state);
  co_return true;
}

Task<pg::Rows> Rescue::bury(Transaction& tx, EndedAttempts ended) {
  if (ended.size() == 0) co_return pg::Rows();
  co_return co_await tx.query("rescue/bury", ended.jobs, ended.run_leases, ended.ready_slots,
                              ended.ready_generations, ended.attempted_at, source_.error,
                              pass_.kind.word);
}

}  // namespace

EndedAttempts EndedAttempts::only(const Numbers& chosen, bool is_in) const {
  EndedAttempts some;
  for (std::size_t index = 0; index < size(); ++index) {
    const bool is_chosen = std::find(chosen.begin(), chosen.end(), jobs[index]) != chosen.end();
    if (is_chosen != is_in) continue;
    for (const auto column : kColumns) (some.*column).push_back((this->*column)[index]);
  }
  return some;
}

Numbers EndedAttempts::jobs_where_last_is(std::int64_t value) const {
  Numbers some;
  for (std::size_t index = 0; index < size(); ++index) {
    if (is_last[index] == value) some.push_back(jobs[index]);
  }
  return some;
}

Task<bool> rescue_attempts(RescuePass& pass, AttemptSource source) {
  Rescue rescue(pass, source);
  auto running = rescue.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
