// SPDX-License-Identifier: Apache-2.0
//
// Changing the jobs of an operation. A batch is one transaction. In queue storage it is of one
// lane, which no worker can claim from meanwhile: what a worker has claimed a moment ago looks
// unclaimed until its cursor moves, and would run twice.
// What others hold is left for another walk; what cannot be changed is found by halving.
#include <fmt/format.h>

#include <map>

#include "branches/fault.hpp"
#include "branches/operations/carrying.hpp"

namespace lockkeeper::branches {
namespace {

// Walks, a second apart at least, in which nothing but what others hold was found. What they still
// hold then is skipped, as the reference does at once.
constexpr int kMostWalksInVain = 10;

constexpr int kMostShards = 64;

struct Table {
  const char* find;
  const char* change;
  bool notifies;
};
constexpr Table kDeferred{"operations/pending_deferred", "operations/change_deferred", false};
constexpr Table kCanonical[] = {
    {"operations/pending_scheduled", "operations/change_scheduled", false},
    {"operations/pending_available", "operations/change_available", true},
};

const Table& table_of(const BranchContext& ctx, const Walk& walk) {
  return ctx.planes().is_queue_storage_routed() ? kDeferred : kCanonical[walk.table()];
}

template <typename T>
pg::Parameter parameter(const std::optional<T>& value) {
  return value ? pg::Parameter(*value) : pg::Parameter(std::nullopt);
}

std::vector<std::int64_t> part(const std::vector<std::int64_t>& all, std::size_t begin,
                               std::size_t end) {
  end = std::min(end, all.size());
  begin = std::min(begin, end);
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

WaitingLane target_of(const Wish& wish, const WaitingLane& from) {
  WaitingLane to;
  to.queue = wish.queue.value_or(from.queue);
  to.priority = wish.priority.value_or(from.priority);
  return to;
}

}  // namespace

Task<bool> Carrying::change() {
  switch (operation_.walk.next()) {
    case Walk::Step::jobs:
      return change_jobs();
    case Walk::Step::lanes:
      return find_lanes();
    case Walk::Step::lane:
      return change_lane();
    case Walk::Step::over:
      break;
  }
  return end_walk();
}

Task<bool> Carrying::change_jobs() {
  auto& walk = operation_.walk;
  const auto& wish = operation_.wish;
  const auto found =
      co_await ctx_.query(table_of(ctx_, walk).find, id_, walk.after(), kOperationWindow,
                          parameter(wish.queue), parameter(wish.priority));
  auto changing = change_rows(found.integers(0, 2), {});
  const bool is_over = co_await changing;
  if (is_over) walk.looked_at_jobs(last_of(found), found.boolean(0, 0));
  co_return is_over;
}

// Jobs of a lane that is where they should be need no change.
Task<bool> Carrying::change_lane() {
  auto& walk = operation_.walk;
  const auto& lane = walk.lane();
  const auto target = target_of(operation_.wish, lane);
  if (target.queue == lane.queue && target.priority == lane.priority) {
    walk.looked_at_lane(0, false);
    co_return true;
  }
  const awa::Sql statement("operations/pending_ready", lane.slots.front());
  const auto found = co_await ctx_.query(statement, id_, lane.queue, lane.priority, lane.shard,
                                         lane.place, lane.next, kOperationWindow);
  auto changing = change_rows(found.integers(0, 2), found.integers(0, 3));
  const bool is_over = co_await changing;
  if (operation_.has_entombed || operation_.is_taken_up) {
    auto passing = pass_entombed();
    co_await passing;
  }
  if (is_over) walk.looked_at_lane(last_of(found), found.boolean(0, 0));
  co_return is_over;
}

// In a transaction of its own: a cursor that has moved is not moved back by a rollback.
Task<bool> Carrying::pass_entombed() {
  const auto& lane = operation_.walk.lane();
  co_await ctx_.breathe();
  auto tx = ctx_.begin();
  tx.shield();  // cancelled, it would keep the lane's lock
  co_await tx.query("operations/pass_entombed", lane.queue, lane.priority, lane.shard);
  co_await tx.commit();
  operation_.has_entombed = false;
  co_return true;
}

// Whatever is left and in nobody's hands is not to be changed any more.
Task<bool> Carrying::end_walk() {
  operation_.walks_in_vain = operation_.has_changed_any ? 0 : operation_.walks_in_vain + 1;
  if (operation_.left == 0 || operation_.walks_in_vain > kMostWalksInVain) {
    operation_.phase = Operation::Phase::skipping;
    co_return true;
  }
  start_walk();
  stop(Progress::blocked);
  co_return true;
}

// False if the walk should come back here. Numbers are those of a lane, if it is one.
Task<bool> Carrying::change_rows(Numbers jobs, Numbers numbers) {
  for (std::size_t begin = 0; begin < jobs.size();) {
    const auto end = begin + static_cast<std::size_t>(pass_.pace.rows());
    auto changing = change_batch(part(jobs, begin, end), part(numbers, begin, end));
    const bool is_over = co_await changing;
    if (!is_over) co_return false;
    begin = end;
    if (begin >= jobs.size()) break;
    co_await ctx_.breathe();
    if (is_time_up()) {
      stop(Progress::interrupted);
      co_return false;
    }
  }
  co_return true;
}

Task<bool> Carrying::change_batch(Numbers jobs, Numbers numbers) {
  const auto phase = operation_.phase;
  std::map<std::size_t, std::string> reasons;
  Bisection search(jobs.size());
  while (const auto range = search.next()) {
    if (range->size() < jobs.size()) co_await ctx_.breathe();
    auto trying =
        attempt(part(jobs, range->begin, range->end), part(numbers, range->begin, range->end));
    const auto attempt = co_await trying;
    if (is_stopped() || operation_.phase != phase) co_return false;
    search.passed(attempt.done);
    ctx_.moved(attempt.done);
    operation_.left += attempt.left;
    operation_.has_changed_any |= attempt.done > 0;
    if (!attempt.refusal) continue;
    reasons[range->begin] = attempt.refusal->what();
    search.failed(attempt.refusal->state());
  }
  for (const auto& [row, why] : search.given_up()) {
    co_await ctx_.breathe();
    if (fault_of(why) == Fault::row) {
      auto recording = record(jobs[row], reasons[row]);
      co_await recording;
      continue;
    }
    ++operation_.left;
    ctx_.report().skipped_rows(
        "locked", 1,
        fmt::format("batch operation {}, job {}, SQLSTATE {}", id_, jobs[row], why.code()));
  }
  co_return true;
}

// One transaction, and before it, if need be, one that makes the lane.
Task<Carrying::Attempt> Carrying::attempt(Numbers jobs, Numbers numbers) {
  Attempt attempt;
  const auto count = static_cast<std::int64_t>(jobs.size());
  try {
    const auto began = time::SteadyClock().now();
    auto trying = numbers.empty() ? attempt_jobs(attempt, jobs) : attempt_lane(attempt, numbers);
    co_await trying;
    if (attempt.lacks_lane) {
      auto making = make_lane();
      co_await making;
      auto again = attempt_lane(attempt, numbers);
      co_await again;
    } else if (attempt.done > 0) {
      pass_.pace.took(count, time::SteadyClock().now() - began);
    }
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) pass_.pace.cut_short();
    if (is_taken_back(ctx_, error)) throw;
    attempt.refusal = contained(error);
  }
  ctx_.report().batch_size(pass_.pace.rows());
  co_return attempt;
}

Task<bool> Carrying::attempt_jobs(Attempt& attempt, Numbers jobs) {
  const auto& table = table_of(ctx_, operation_.walk);
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  const auto changed = co_await tx.query(table.change, id_, jobs, parameter(operation_.wish.queue),
                                         parameter(operation_.wish.priority));
  attempt.left = changed.integer(0, 1) - changed.integer(0, 0);
  if (changed.integer(0, 0) == 0) co_return true;
  if (table.notifies) {
    co_await tx.notify_and_commit();
  } else {
    co_await tx.commit();
  }
  attempt.done = changed.integer(0, 0);
  co_return true;
}

Task<bool> Carrying::attempt_lane(Attempt& attempt, Numbers numbers) {
  const auto& lane = operation_.walk.lane();
  const auto& wish = operation_.wish;
  const auto target = target_of(wish, lane);
  const awa::Sql entomb("operations/entomb", lane.slots.front());
  const awa::Sql requeue("operations/requeue", lane.slots.front());
  operation_.rotor = (operation_.rotor + 1) % kMostShards;
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  const auto lanes = co_await tx.query("operations/lock_lanes", lane.queue, lane.priority,
                                       lane.shard, target.queue, target.priority, operation_.rotor);
  attempt.lacks_lane = !lanes.boolean(0, 1);
  attempt.left = static_cast<std::int64_t>(numbers.size());
  if (lanes.is_null(0, 2)) co_return true;
  const auto taken = co_await tx.query(entomb, lane.queue, lane.priority, lane.shard, numbers);
  attempt.left -= taken.integer(0, 1);
  const auto moving = taken.integers(0, 0);
  if (moving.empty()) co_return true;
  // The numbers that it takes of the lane are not given back: undone, it would leave a gap.
  tx.shield();
  co_await tx.query(requeue, id_, lane.queue, lane.priority, lane.shard, moving, target.queue,
                    target.priority, lanes.integer(0, 2), wish.queue.has_value(),
                    wish.priority.has_value());
  co_await tx.notify_and_commit();
  attempt.done = static_cast<std::int64_t>(moving.size());
  operation_.has_entombed = true;
  co_return true;
}

// The first shard: others come to life with the producers that use them.
Task<bool> Carrying::make_lane() {
  const auto target = target_of(operation_.wish, operation_.walk.lane());
  co_await ctx_.breathe();
  auto tx = ctx_.begin();
  co_await tx.query("lanes/lock_creation", target.queue, target.priority, 0);
  co_await tx.query("lanes/act_as_owner");
  tx.shield();  // cancelled, it would keep the lane's lock
  co_await tx.query("lanes/register", target.queue, target.priority, 0);
  co_await tx.query("lanes/make_sequences", target.queue, target.priority, 0);
  co_await tx.commit();
  co_await ctx_.breathe();
  co_return true;
}

Task<bool> Carrying::record(std::int64_t job, std::string why) {
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  co_await tx.query("operations/record_error", id_, job, fmt::format("job_id={}: {}", job, why));
  co_await tx.commit();
  ctx_.moved(1);
  operation_.has_changed_any = true;
  ctx_.report().skipped_rows("bad_row", 1,
                             fmt::format("batch operation {}, job {}: {}", id_, job, why));
  co_return true;
}

}  // namespace lockkeeper::branches
